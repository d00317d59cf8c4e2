// Following a channel across everything that breaks: every event once and in order, or a word about the gap. Pure.
//
// Whoever drives it asks nextStep, does it, and says what came of it; the reader is given what take has after each.
// While a socket or stream is open wake is called at dueS, and it is left when isOpen is no more. nowS is a clock that
// only rises, chance a number from 0 to 1. Steps: {pause}, {ask}, {open, path, query}, {finish}.
//
// asked is {channelId, types, cursor, since, newest, transports, isRenewable}. The same machine in Python is
// tidemark_client/following.py; clients/cases holds both to the same.

import { closeOfStream, opened } from "./connection.js";
import { afterClose, comeBack, parseClose } from "./endings.js";
import { Cut, TidemarkError, Unreachable } from "./errors.js";
import { isOurs, pageOf, parseAnswer, parseEvent, refusalOf } from "./event.js";
import { parseCursor } from "./ids.js";
import { Inbox } from "./inbox.js";
import { Polling } from "./polling.js";
import { firstPage, spellTypes } from "./requests.js";
import { TooLong } from "./sse.js";
import { Pauses, notBeforeS } from "./timing.js";
import { TRANSPORTS, Ways } from "./ways.js";

const BROKE = "The connection broke";
const SILENT = "The connection is silent";
const ABNORMAL = 1006;
const UPGRADE_REQUIRED = 426;

export class Follow {
  #asked;
  #types;
  #timing;
  #inbox;
  #ways;
  #polling;
  #pauses;
  #wait = null;
  #doubt = null;
  #end = null;
  #open = null;
  #isRushed = false;

  constructor(asked, timing) {
    this.#asked = { newest: 0, isRenewable: false, ...asked };
    this.#types = spellTypes(asked.types);
    this.#timing = timing;
    this.#inbox = new Inbox(asked.cursor == null ? null : parseCursor(asked.cursor));
    this.#ways = new Ways(asked.transports ?? TRANSPORTS);
    this.#polling = new Polling(asked.channelId, asked.types, timing);
    this.#pauses = new Pauses(timing.firstS, timing.longestS);
  }

  // Where a reader that starts anew would begin: behind all that was taken. Null before that is known.
  get cursor() {
    return this.#inbox.cursor;
  }

  // Whether it is settled where the reading begins.
  get hasBegun() {
    return this.#inbox.place !== null;
  }

  // How the reading ended, null while it goes on.
  get error() {
    return this.#end;
  }

  // Whether the connection that was opened is still wanted.
  get isOpen() {
    return this.#open !== null && this.#end === null;
  }

  // When to call wake, while a connection is open.
  get dueS() {
    return this.#open === null ? Infinity : this.#open.dueS;
  }

  take() {
    return this.#inbox.take();
  }

  nextStep(nowS, chance) {
    if (this.#end !== null) return { finish: this.#end };
    if (this.#wait !== null) {
      const pauseS = this.#wait(chance);
      this.#wait = null;
      if (pauseS > 0) return { pause: pauseS };
    }
    const way = this.#ways.current;
    const place = this.#inbox.place;
    if (place === null) return { ask: firstPage(this.#asked) };
    if (this.#doubt !== null || way === "poll") {
      return { ask: this.#polling.pageAfter(place, { mayWait: this.#doubt === null }) };
    }
    this.#open = opened(way, nowS, nowS + this.#timing.openS);
    const query = { cursor: place, ...(this.#types === null ? {} : { types: this.#types }) };
    return { open: way, path: ["channels", this.#asked.channelId, way], query };
  }

  // The call of the last step was answered.
  onAnswer(answer, nowS) {
    this.#ending(() => {
      const doubt = this.#doubt;
      this.#doubt = null;
      if (answer.status !== 200 && answer.status !== 304) return this.#refused(answer);
      const place = this.#inbox.place;
      const page = answer.status === 304 ? null : pageOf(parseAnswer(answer));
      if (page !== null) {
        const isUnasked = place === null && this.#asked.since == null && !this.#asked.newest;
        this.#inbox.putPage(place ?? this.#asked.since ?? "", isUnasked ? { ...page, events: [] } : page);
      }
      if (place !== null) this.#polling.learn(place, answer);
      if (doubt !== null) return doubt();
      this.#pauses.reset();
      this.#isRushed = false;
      if (place !== null) {
        this.#wait = (chance) => this.#polling.pauseS(page, chance);
        this.#ways.worked(nowS);
        this.#ways.ended(nowS, this.#timing.steadyS);
      }
    });
  }

  // The socket is open, or the stream's answer has begun.
  onOpen(nowS) {
    if (this.#open?.way === "ws") this.#open.dueS = nowS + this.#timing.silenceS;
  }

  // A frame of the socket came.
  onFrame(text, nowS) {
    this.#ending(() => {
      this.#inbox.putEvent(parseEvent(text));
      this.#heard(nowS);
    });
  }

  // Text of the stream came.
  onChunk(text, nowS) {
    const connection = this.#open;
    this.#ending(() => {
      if (connection === null) return;
      this.#heard(nowS);
      try {
        for (const told of connection.stream.feed(text)) {
          this.#told(told, nowS);
          if (this.#open === null) return;
        }
      } catch (error) {
        throw error instanceof TooLong ? new Cut("The server sent an event without end") : error;
      }
    });
  }

  // The connection ended; null is one that broke without a word.
  onClose(code, reason, nowS) {
    this.#closed(code === null || code === ABNORMAL ? null : parseClose(code, reason), nowS);
  }

  // The stream was refused by an HTTP answer; of a socket nobody is told that, who runs in a browser.
  onRefusal(answer, nowS) {
    this.#leave(nowS);
    this.#ending(() => {
      if (isOurs(answer) && answer.status !== UPGRADE_REQUIRED) return this.#refused(answer);
      this.#inbox.tell(`${this.#ways.current} is not to be had here (${answer.status})${this.#resuming}`);
      this.#doubt = () => this.#ways.failed({ isPlain: true });
    });
  }

  // Nothing came of the last step: no connection, or no answer in time.
  onFailure(says, nowS, { isPassing = true } = {}) {
    this.#doubt = null;
    const connection = this.#leave(nowS);
    if (isPassing) this.#lost(connection, says);
    else this.#end = new Unreachable(says, { isPassing: false });
  }

  // Nothing came for so long: what to ask, for onProbe, or null where the connection is given up.
  wake(nowS) {
    const connection = this.#open;
    const place = this.#inbox.place;
    if (connection === null || place === null) return null;
    if (connection.way === "ws" && !connection.isBehind) {
      connection.asked = place;
      return { ask: this.#polling.pageAfter(place, { mayWait: false }) };
    }
    this.#lost(this.#leave(nowS), SILENT);
    return null;
  }

  // What wake asked for was answered; null is no answer in time.
  onProbe(answer, nowS) {
    const connection = this.#open;
    if (connection === null) return;
    this.#ending(() => {
      if (answer === null) return this.#closed(null, nowS);
      connection.dueS = nowS + this.#timing.silenceS;
      if (answer.status !== 200 || connection.asked !== this.#inbox.place) return;
      const page = pageOf(parseAnswer(answer));
      this.#polling.learn(connection.asked, answer);
      if (page.events.length || !page.isComplete) {
        connection.isBehind = true;
        connection.dueS = nowS + this.#timing.graceS;
      } else this.#inbox.move(page.cursor);
    });
  }

  #told(told, nowS) {
    if (told.kind === "close") this.#closed(closeOfStream(told.data), nowS);
    else if (told.kind === "cursor_expired") this.#inbox.putGap(this.#inbox.place ?? "", told.id);
    else if (told.data) this.#inbox.putEvent(parseEvent(told.data));
    else if (told.id) this.#inbox.move(told.id);
  }

  // Something came on the connection.
  #heard(nowS) {
    this.#pauses.reset();
    this.#isRushed = false;
    this.#ways.worked(nowS);
    if (this.#open !== null) {
      this.#open.hasSpoken = true;
      this.#open.isBehind = false;
      this.#open.dueS = nowS + this.#timing.silenceS * (this.#open.way === "ws" ? 1 : 2);
    }
  }

  #closed(close, nowS) {
    const connection = this.#leave(nowS);
    this.#ending(() => {
      if (close !== null) this.#comeBack(afterClose(close, this.#asked.isRenewable));
      else this.#lost(connection, BROKE);
    });
  }

  // It broke without a word from the server; where it never spoke either, a poll tells whose fault that is.
  #lost(connection, says) {
    if (connection === null || connection.hasSpoken) this.#comeBack(comeBack(says));
    else {
      this.#inbox.tell(`${says}${this.#resuming}`);
      this.#doubt = () => this.#failed();
    }
  }

  #leave(nowS) {
    const connection = this.#open;
    this.#open = null;
    if (connection !== null) {
      this.#ways.ended(nowS, this.#timing.steadyS);
      if (nowS - connection.sinceS > this.#timing.openS) this.#pauses.reset();
    }
    return connection;
  }

  // HTTP works and the other way did not.
  #failed() {
    this.#ways.failed();
    this.#wait = (chance) => this.#pauses.nextS(chance);
  }

  #refused(answer) {
    const refusal = refusalOf(answer);
    if (answer.status === 401 && this.#asked.isRenewable && !this.#isRushed) {
      this.#comeBack(comeBack("The token was refused; coming back with a new one", { pace: "at once" }));
    } else if (refusal.isPassing || refusal.status >= 500) {
      this.#comeBack(comeBack(refusal.message, { leastS: refusal.retryAfterS ?? 0 }));
    } else throw refusal;
  }

  #comeBack(resume) {
    if (resume.isGap && resume.cursor !== null) this.#inbox.putGap(this.#inbox.place ?? "", resume.cursor);
    else {
      if (resume.cursor !== null) this.#inbox.move(resume.cursor);
      this.#inbox.tell(`${resume.says}${this.#resuming}`);
    }
    this.#wait = (chance) => this.#pauseS(resume, chance);
  }

  #pauseS(resume, chance) {
    let pauseS;
    if (resume.pace === "growing" || this.#isRushed) pauseS = this.#pauses.nextS(chance);
    else {
      this.#isRushed = true;
      pauseS = resume.pace === "at once" ? 0 : this.#pauses.spreadS(chance);
    }
    return Math.max(pauseS, notBeforeS(resume.leastS, chance));
  }

  get #resuming() {
    const place = this.#inbox.place;
    return place === null ? "; trying again" : `; resuming after ${place}`;
  }

  // What is thrown inside is how the reading ends.
  #ending(act) {
    try {
      act();
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
      this.#end = error;
    }
  }
}

// The face of a reader: an async iterator that gives every event once, in order, whatever breaks meanwhile.

import { GapFound } from "./errors.js";
import { Follow } from "./following.js";
import { answerOf, chance, isNetwork, nowS, saysOf, sleep } from "./link.js";
import { Mailbox } from "./mailbox.js";

// A reader that is so many frames behind its own socket leaves it and reads on from the log.
const MAX_WAITING = 1000;

export class Follower {
  #link;
  #core;
  #onGap;
  #onTrouble;
  #given;
  #over = new AbortController();

  constructor(link, asked, { onGap = null, onTrouble = null }) {
    this.#link = link;
    this.#core = new Follow(asked, link.timing);
    this.#onGap = onGap;
    this.#onTrouble = onTrouble;
    this.#given = this.#everything();
  }

  // Behind the last event that was given, and behind what is not for this reader. Null before that is known.
  get cursor() {
    return this.#core.cursor;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  async next() {
    for (;;) {
      const { value, done } = await this.#given.next();
      if (done && this.#over.signal.aborted) return { value: undefined, done: true };
      if (done && this.#core.error !== null) throw this.#core.error;
      // Something of the caller's own broke in, such as a token function that threw: that is no end of the reading.
      if (done) this.#given = this.#everything();
      else if (value.event) return { value: value.event, done: false };
      else this.#tell(value);
    }
  }

  // Settle where it begins: what is published from here on will be given. Else the first next settles it.
  async begin() {
    while (!this.#core.hasBegun && !this.#over.signal.aborted) {
      await this.#do(this.#core.nextStep(nowS(), chance()));
      if (!this.#core.hasBegun) for (const given of this.#taken()) this.#tell(given);
    }
    return this;
  }

  // Leave the connection; the cursor stays. Also what `break` in a loop does.
  async return() {
    this.close();
    await this.#given.return();
    return { value: undefined, done: true };
  }

  close() {
    this.#over.abort();
  }

  async *#everything() {
    // The page with which it began may have brought events, and a socket may be silent for long.
    yield* this.#taken();
    while (!this.#over.signal.aborted) {
      const step = this.#core.nextStep(nowS(), chance());
      if (step.open) yield* step.open === "ws" ? this.#socket(step) : this.#stream(step);
      else await this.#do(step);
      yield* this.#taken();
    }
  }

  async #do(step) {
    if (step.finish) throw step.finish;
    if (step.pause) await sleep(step.pause, this.#over.signal);
    else await this.#ask(step.ask);
  }

  #tell({ trouble, gap }) {
    if (trouble) this.#onTrouble?.(trouble);
    else if (this.#onGap === null) throw new GapFound(gap);
    else this.#onGap(gap);
  }

  *#taken() {
    for (let given = this.#core.take(); given !== null; given = this.#core.take()) yield given;
  }

  async #ask(call) {
    try {
      this.#core.onAnswer(await this.#link.ask(call, this.#over.signal), nowS());
    } catch (error) {
      this.#failed(error);
    }
  }

  async *#socket({ path, query }) {
    const socket = new WebSocket(await this.#link.socketUrl(path, query));
    const mailbox = new Mailbox();
    const over = () => mailbox.put({ over: true });
    this.#over.signal.addEventListener("abort", over);
    socket.onopen = () => mailbox.put({ open: true });
    socket.onclose = ({ code, reason }) => mailbox.put({ code, reason });
    socket.onerror = () => {}; // A close follows.
    socket.onmessage = ({ data }) => {
      mailbox.put({ frame: String(data) });
      if (mailbox.size > MAX_WAITING) leave(socket, () => mailbox.put({ code: null, reason: "" }));
    };
    const untilS = nowS() + this.#link.timing.openS;
    let isOpen = false;
    try {
      while (!this.#over.signal.aborted) {
        const word = await mailbox.take((isOpen ? this.#core.dueS : untilS) - nowS());
        if (word === null && isOpen) await this.#wake();
        else if (word?.open) {
          isOpen = true;
          this.#core.onOpen(nowS());
        } else if (word?.frame !== undefined) this.#core.onFrame(word.frame, nowS());
        else if (word === null || word.code !== undefined) this.#ended(word, isOpen);
        yield* this.#taken();
        if (!this.#core.isOpen) return;
      }
    } finally {
      this.#over.signal.removeEventListener("abort", over);
      leave(socket);
    }
  }

  #ended(word, isOpen) {
    const { origin } = this.#link;
    if (isOpen) this.#core.onClose(word.code, word.reason, nowS());
    else this.#core.onFailure(`${origin} opens no WebSocket${word === null ? ": timed out" : ""}`, nowS());
  }

  async *#stream({ path, query }) {
    const leaving = new AbortController();
    const signal = AbortSignal.any([this.#over.signal, leaving.signal]);
    const late = new DOMException("timed out", "TimeoutError");
    const timer = setTimeout(() => leaving.abort(late), 1000 * this.#link.timing.openS);
    try {
      const response = await this.#link.fetch(path, query, { headers: { Accept: "text/event-stream" }, signal });
      if (response.status !== 200 || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
        this.#core.onRefusal(await answerOf(response), nowS());
        return;
      }
      clearTimeout(timer);
      this.#core.onOpen(nowS());
      yield* this.#chunks(response.body.getReader());
    } catch (error) {
      this.#failed(error);
    } finally {
      clearTimeout(timer);
      leaving.abort();
    }
  }

  async *#chunks(reader) {
    const decoder = new TextDecoder();
    while (!this.#over.signal.aborted) {
      const waiting = new AbortController();
      const reading = reader.read();
      reading.catch(() => {}); // Where it is left, nobody waits for it.
      const late = sleep(Math.max(0, this.#core.dueS - nowS()), waiting.signal).then(() => null);
      const got = await Promise.race([reading, late]).finally(() => waiting.abort());
      if (got === null) await this.#wake();
      else if (got.done) this.#core.onClose(null, "", nowS());
      else this.#core.onChunk(decoder.decode(got.value, { stream: true }), nowS());
      yield* this.#taken();
      if (!this.#core.isOpen) return;
    }
  }

  async #wake() {
    const probe = this.#core.wake(nowS());
    if (probe === null) return;
    try {
      this.#core.onProbe(await this.#link.ask(probe.ask, this.#over.signal), nowS());
    } catch (error) {
      if (!isNetwork(error)) throw error;
      this.#core.onProbe(null, nowS());
    }
  }

  #failed(error) {
    if (!isNetwork(error)) throw error;
    if (!this.#over.signal.aborted) this.#core.onFailure(saysOf(this.#link.origin, error), nowS());
  }
}

// Close a socket and hear nothing more from it.
function leave(socket, then = () => {}) {
  socket.onopen = socket.onclose = socket.onmessage = null;
  socket.close();
  then();
}

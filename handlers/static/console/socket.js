// One connection to /api/v1/ws (docs/multiplex.md): many channels on it, each resumed where it was after a break.

/**
 * @typedef {object} Reader what a follower of a channel is told
 * @property {(event: any) => void} event an event of the channel
 * @property {(told: {complete: boolean, oldest?: string | null, cursor: string}) => void} [level] it is followed from here
 * @property {(message: string, status: number) => void} [refused] it is not followed (any more)
 */

const MOST_PAUSE_MS = 30_000;

/** A connection that stays: it comes back after a break, and goes on from the last cursor of each channel. */
export class Connection {
  /**
   * @param {string} credential a token or a key, "" for none; sent as the first message
   * @param {(state: "idle" | "connecting" | "live" | "waiting" | "refused", detail: string) => void} changed
   */
  constructor(credential, changed) {
    this.credential = credential;
    this.changed = changed;
    this.followed = new Map();
    this.asked = new Map();
    this.ref = 0;
    this.tries = 0;
    this.socket = null;
    this.timer = null;
    this.isOver = false;
  }

  /**
   * Follow a channel; following it again takes the place of the first.
   * @param {string} channel
   * @param {{cursor?: string | null, types?: string[]}} from
   * @param {Reader} reader
   * @returns {() => void} ends it
   */
  follow(channel, { cursor = null, types = [] }, reader) {
    const mine = { channel, cursor, types, reader, isLevel: false };
    this.followed.set(channel, mine);
    if (this.socket?.readyState === WebSocket.OPEN) this.#subscribe(mine);
    else this.#open();
    return () => {
      if (this.followed.get(channel) !== mine) return;
      this.followed.delete(channel);
      if (this.socket?.readyState === WebSocket.OPEN) this.#send({ unsubscribe: { channel } });
    };
  }

  /** The server has been reached in some other way: do not wait any longer. */
  hurry() {
    if (this.socket === null && this.followed.size && !this.isOver) this.#open();
  }

  /** End it for good. */
  close() {
    clearTimeout(this.timer);
    this.followed.clear();
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
    this.changed("idle", "");
  }

  #open() {
    if (this.socket !== null) return;
    clearTimeout(this.timer);
    this.changed("connecting", "");
    const socket = (this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/ws`));
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => { if (this.socket === socket) this.#heard(JSON.parse(data)); };
    socket.onclose = ({ code }) => { if (this.socket === socket) this.#closed(code); };
  }

  #opened() {
    this.asked.clear();
    if (this.credential) this.#send({ token: this.credential }, { token: true });
    for (const mine of this.followed.values()) this.#subscribe(mine);
    if (!this.credential) this.#live();
  }

  #live() {
    this.tries = 0;
    this.changed("live", "");
  }

  #subscribe(mine) {
    const { channel, cursor, types } = mine;
    mine.isLevel = false;
    this.#send({ subscribe: { channel, ...(cursor && { cursor }), ...(types.length && { types }) } }, { mine });
  }

  #send(command, about = {}) {
    const ref = ++this.ref;
    this.asked.set(ref, about);
    this.socket.send(JSON.stringify({ ref, ...command }));
  }

  #heard(frame) {
    if (frame.id !== undefined) return this.#event(frame);
    const about = this.asked.get(frame.ref) ?? {};
    this.asked.delete(frame.ref);
    if (frame.authenticated) this.#live();
    else if (frame.subscribed) this.#subscribed(about.mine, frame.subscribed);
    else if (frame.error) this.#refused(about, frame.error);
    else if (frame.ended) this.#ended(frame.ended);
    for (const [channel, cursor] of Object.entries(frame.position ?? frame.closing ?? {})) this.#moved(channel, cursor);
  }

  #event(event) {
    const mine = this.followed.get(event.channel_id);
    // Before its answer a subscription has no events: these are of the one whose place it takes.
    if (!mine?.isLevel) return;
    mine.cursor = event.id;
    mine.reader.event(event);
  }

  #moved(channel, cursor) {
    const mine = this.followed.get(channel);
    if (mine) mine.cursor = cursor;
  }

  #subscribed(mine, told) {
    if (!mine || this.followed.get(mine.channel) !== mine) return;
    mine.cursor = told.cursor;
    mine.isLevel = true;
    mine.reader.level?.(told);
  }

  #refused({ mine, token }, { status, error, retry_after_s: retryAfterS }) {
    if (token) return this.changed("refused", error);
    if (!mine) return;
    if (status === 503 || status === 429) return setTimeout(() => this.#again(mine), (retryAfterS ?? 1) * 1000);
    mine.reader.refused?.(error, status);
  }

  #again(mine) {
    if (this.followed.get(mine.channel) === mine && this.socket?.readyState === WebSocket.OPEN) this.#subscribe(mine);
  }

  #ended({ channel, code, reason, cursor }) {
    const mine = this.followed.get(channel);
    if (!mine) return;
    if (cursor) mine.cursor = cursor;
    if (code === 4408 || code === 4410 || code === 1013) return setTimeout(() => this.#again(mine), 1_000);
    this.followed.delete(channel);
    mine.reader.refused?.(reason, code);
  }

  #closed(code) {
    this.socket = null;
    this.isOver = code === 4401;
    if (this.isOver) return this.changed("refused", "The token has expired.");
    const pause = code === 1008 ? 60_000 : code === 1012 && this.tries === 0 ? 1_000 * Math.random() : this.#backoff();
    this.tries += 1;
    this.changed("waiting", "");
    this.timer = setTimeout(() => this.#open(), pause);
  }

  #backoff() {
    return Math.min(MOST_PAUSE_MS, 1_000 * 2 ** Math.max(0, this.tries - 1)) * (0.5 + Math.random() / 2);
  }
}

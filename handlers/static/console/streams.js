// Which connection follows a channel. A socket has one credential: an administrator's follows everything on one;
// else the token and each key that a panel needs have their own, opened when something is followed with it.

import { Connection } from "./socket.js";

const WORDS = { idle: "no connection needed", connecting: "connecting", live: "live", waiting: "reconnecting", refused: "refused" };
const WORST = ["refused", "waiting", "connecting", "live", "idle"];

/** The connections of the page. */
export class Streams {
  /**
   * @param {{token: string, isAdmin: boolean}} access
   * @param {(state: string, words: string) => void} changed told the state of the worst of them
   */
  constructor(access, changed) {
    this.access = access;
    this.changed = changed;
    this.connections = new Map();
    this.states = new Map();
  }

  /**
   * Follow a channel with a credential, or on the administrator's one connection.
   * @param {string} credential
   * @param {string} channel
   * @param {{cursor?: string | null, types?: string[]}} from
   * @param {import("./socket.js").Reader} reader
   * @returns {() => void} ends it
   */
  follow(credential, channel, from, reader) {
    const own = this.access.isAdmin ? this.access.token : credential;
    let connection = this.connections.get(own);
    if (!connection) {
      connection = new Connection(own, (state, detail) => this.#told(own, state, detail));
      this.connections.set(own, connection);
    }
    return connection.follow(channel, from, reader);
  }

  /** The server is there again: come back at once. */
  hurry() {
    for (const connection of this.connections.values()) connection.hurry();
  }

  /** End all. */
  close() {
    for (const connection of this.connections.values()) connection.close();
    this.connections.clear();
  }

  #told(own, state, detail) {
    this.states.set(own, { state, detail });
    const all = [...this.states.values()];
    const worst = WORST.map((name) => all.find((each) => each.state === name)).find(Boolean);
    this.changed(worst.state, worst.detail || WORDS[worst.state]);
  }
}

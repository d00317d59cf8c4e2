// Which transport a reader takes: the best one that works here, and a better one again after a while. Pure.
//
// One that fails goes to the next: one that never worked here after two tries, one that did after three, and one that
// is plainly not to be had at once. Only failures count in which the server could be reached in another way.

import { Invalid } from "./errors.js";

export const TRANSPORTS = Object.freeze(["ws", "sse", "poll"]);
const UNPROVEN_TRIES = 2;
const PROVEN_TRIES = 3;

export class Ways {
  #transports;
  #index = 0;
  #tries = 0;
  #proven = new Set();
  #sinceS = null;

  constructor(transports) {
    const known = new Set(transports);
    if (!known.size || known.size !== transports.length || transports.some((each) => !TRANSPORTS.includes(each))) {
      throw new Invalid(`transports are some of ${TRANSPORTS.join(", ")}, each once, the best first`);
    }
    this.#transports = [...transports];
  }

  get current() {
    return this.#transports[this.#index];
  }

  worked(nowS) {
    this.#proven.add(this.current);
    this.#tries = 0;
    this.#sinceS ??= nowS;
  }

  failed({ isPlain = false } = {}) {
    this.#tries += 1;
    if (isPlain || this.#tries >= (this.#proven.has(this.current) ? PROVEN_TRIES : UNPROVEN_TRIES)) {
      this.#take((this.#index + 1) % this.#transports.length);
    }
  }

  // A connection ended, or a poll was answered; after steadyS on a lesser way the best is tried again.
  ended(nowS, steadyS) {
    if (this.#index && this.#sinceS !== null && nowS - this.#sinceS >= steadyS) this.#take(0);
  }

  #take(index) {
    this.#index = index;
    this.#tries = 0;
    this.#sinceS = null;
  }
}

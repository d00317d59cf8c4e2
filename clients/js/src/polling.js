// Polls of a channel: which page to ask for, and when again. Pure.
//
// A page that shared caches may keep is polled as often as they keep it, under the one URL that all readers at this
// place use, and with its ETag; so many readers cost the server one request. Any other is asked for as a long poll.

import { pageCall } from "./requests.js";

const KEPT_FOR = /\bs-maxage=(\d+)/;

export class Polling {
  #channelId;
  #types;
  #timing;
  #etag = null;
  #isShared = true;
  #pollS;

  constructor(channelId, types, timing) {
    this.#channelId = channelId;
    this.#types = types;
    this.#timing = timing;
    this.#pollS = timing.pollS;
  }

  pageAfter(cursor, { mayWait = true } = {}) {
    const asked = { cursor, types: this.#types };
    if (!this.#isShared && mayWait) return pageCall(this.#channelId, { ...asked, waitS: this.#timing.waitS });
    const etag = this.#etag?.cursor === cursor ? this.#etag.etag : null;
    return pageCall(this.#channelId, { ...asked, etag });
  }

  // Take in what an answer says of how to poll.
  learn(cursor, answer) {
    const found = KEPT_FOR.exec(answer.headers["cache-control"] ?? "");
    if (found) {
      this.#isShared = true;
      this.#pollS = Number(found[1]) || this.#timing.pollS;
    } else if (answer.status === 200) this.#isShared = false;
    if (answer.status === 200) {
      const etag = answer.headers.etag;
      this.#etag = etag ? { cursor, etag } : null;
    }
  }

  // Seconds until the next poll; `page` is null for one that did not change.
  pauseS(page, chance) {
    if (page !== null && (page.hasMore || (page.events.length && !this.#isShared))) return 0;
    // An empty long poll comes back when its time is over, or early from a server that stops.
    return this.#isShared ? this.#pollS * (1 - chance / 4) : this.#timing.firstS * chance;
  }
}

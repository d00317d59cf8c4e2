// The face of a client: publish, read and follow.

import { GapFound } from "./errors.js";
import { pageOf, parseAnswer, storedEvents } from "./event.js";
import { Follower } from "./follower.js";
import { Link, chance, isNetwork, nowS, saysOf, sleep } from "./link.js";
import { KEY_HEADER, callOf, gapOf, pageCall, publishBatch, publishOne, render } from "./requests.js";
import { Retrying } from "./retrying.js";
import { TIMING } from "./timing.js";

const PATIENCE_S = 60;

export class Client {
  #link;
  #patienceS;
  #onTrouble;

  constructor(url, { token = null, patienceS = PATIENCE_S, timing = {}, onTrouble = null } = {}) {
    this.#link = new Link(url, { token, timing: { ...TIMING, ...timing } });
    this.#patienceS = patienceS;
    this.#onTrouble = onTrouble;
  }

  async publish(channelId, data, { type, meta, replyTo, key = newKey() } = {}) {
    const told = await this.#call(publishOne(channelId, { data, type, meta, replyTo }, key));
    return storedEvents({ events: [told] })[0];
  }

  async publishBatch(channelId, drafts, { key = newKey() } = {}) {
    return storedEvents(await this.#call(publishBatch(channelId, drafts, key)));
  }

  async page(channelId, { cursor, since, types, limit = null, waitS } = {}) {
    return pageOf(await this.#call(pageCall(channelId, { cursor, since, types, limit, waitS })));
  }

  async *read(channelId, { cursor, since, types, onGap = null } = {}) {
    for (let asked = { cursor, since }; ; ) {
      const page = pageOf(await this.#call(pageCall(channelId, { ...asked, types })));
      const gap = gapOf(asked.cursor ?? asked.since ?? "", page);
      if (gap !== null && onGap === null) throw new GapFound(gap);
      if (gap !== null) onGap(gap);
      yield* page.events;
      if (!page.hasMore) return;
      asked = { cursor: page.cursor };
    }
  }

  follow(channelId, { cursor, since, newest, types, transports, onGap = null } = {}) {
    const { isRenewable } = this.#link;
    const asked = { channelId, cursor, since, newest: newest ?? 0, types, transports, isRenewable };
    return new Follower(this.#link, asked, { onGap, onTrouble: this.#onTrouble });
  }

  async request(method, path, { query = {}, json, key = newKey() } = {}) {
    const headers = method === "GET" ? {} : { [KEY_HEADER]: key };
    return this.#call(callOf(method, path, { query, body: json === undefined ? null : render(json), headers }));
  }

  async #call(call) {
    const retrying = new Retrying(call, this.#patienceS, nowS(), this.#link.timing);
    for (;;) {
      const step = retrying.nextStep(nowS(), chance());
      if (step.done) return parseAnswer(step.done);
      if (step.finish) throw step.finish;
      if (step.ask) await this.#try(retrying, step.ask);
      else {
        const said = retrying.say();
        if (said !== null) this.#onTrouble?.(said);
        await sleep(step.pause);
      }
    }
  }

  async #try(retrying, call) {
    try {
      retrying.onAnswer(await this.#link.ask(call));
    } catch (error) {
      if (!isNetwork(error)) throw error;
      retrying.onFailure(saysOf(this.#link.origin, error));
    }
  }
}

// Not randomUUID, which browsers have on https only.
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A call that is made again until there is an answer, within a time: for calls that may be sent twice. Pure.
//
// All calls of the clients are such: reads by their nature, writes by their Idempotency-Key. So an answer that was lost
// on its way costs a second request and nothing else. Steps: {ask}, {pause}, {done}, {finish}.

import { Unreachable } from "./errors.js";
import { refusalOf } from "./event.js";
import { KEY_HEADER } from "./requests.js";
import { Pauses, notBeforeS } from "./timing.js";

export class Retrying {
  #call;
  #untilS;
  #pauses;
  #answer = null;
  #failure = null;
  #says = null;
  #hasSaid = false;

  constructor(call, patienceS, beganS, timing) {
    this.#call = call;
    this.#untilS = beganS + patienceS;
    this.#pauses = new Pauses(timing.callFirstS, timing.callLongestS);
  }

  nextStep(nowS, chance) {
    if (this.#answer !== null) return { done: this.#answer };
    const failure = this.#failure;
    this.#failure = null;
    if (failure === null) return { ask: this.#call };
    const pauseS = Math.max(this.#pauses.nextS(chance), notBeforeS(failure.retryAfterS ?? 0, chance));
    if (!failure.isPassing || nowS + pauseS > this.#untilS) return { finish: failure };
    this.#says = this.#hasSaid ? null : `${failure.message}; trying again`;
    this.#hasSaid = true;
    return { pause: pauseS };
  }

  // Why it has to be tried again, for a person: the first time only.
  say() {
    const says = this.#says;
    this.#says = null;
    return says;
  }

  onAnswer(answer) {
    if (answer.status >= 200 && answer.status < 400) this.#answer = answer;
    else this.#failure = refusalOf(answer);
  }

  onFailure(says, { isPassing = true } = {}) {
    this.#failure = new Unreachable(says, { isPassing, key: this.#call.headers[KEY_HEADER] ?? null });
  }
}

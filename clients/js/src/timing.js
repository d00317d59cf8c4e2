// How long a client waits for what, and before it tries again: ever longer, never in step with others. Pure.
//
// Seconds; the defaults are those of docs/close-codes.md. What each is for: index.d.ts.

export const TIMING = Object.freeze({
  answerS: 10,
  openS: 10,
  silenceS: 30,
  graceS: 5,
  firstS: 1,
  longestS: 30,
  callFirstS: 0.2,
  callLongestS: 5,
  steadyS: 60,
  waitS: 25,
  pollS: 2,
});

// Doubling up to the longest, each shortened at random by up to half; `chance` is a number from 0 to 1.
export class Pauses {
  #firstS;
  #longestS;
  #nextS;

  constructor(firstS, longestS) {
    this.#firstS = this.#nextS = firstS;
    this.#longestS = longestS;
  }

  nextS(chance) {
    const pauseS = this.#nextS * (1 - chance / 2);
    this.#nextS = Math.min(2 * this.#nextS, this.#longestS);
    return pauseS;
  }

  // A random part of the first wait, for those whom a restart sends all at once; the next one is whole.
  spreadS(chance) {
    return this.#firstS * chance;
  }

  reset() {
    this.#nextS = this.#firstS;
  }
}

// What a server asked to wait, and up to a quarter more: it asked all of them for the same.
export function notBeforeS(askedS, chance) {
  return askedS * (1 + chance / 4);
}

// What a socket says, in order, for one who takes it when there is time. A WebSocket cannot be told to wait, so whoever
// fills it looks at its size.

export class Mailbox {
  #words = [];
  #wake = null;

  get size() {
    return this.#words.length;
  }

  put(word) {
    this.#words.push(word);
    this.#wake?.();
  }

  // The next word, or null after so many seconds.
  async take(seconds) {
    if (!this.#words.length && seconds > 0) {
      await new Promise((resolve) => {
        // Longer ones than a timer can wait for do not matter: whoever waits looks again.
        const timer = setTimeout(resolve, Math.min(1000 * seconds, 2 ** 31 - 1));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    return this.#words.shift() ?? null;
  }
}

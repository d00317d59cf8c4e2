// Asking again and again, and asking once for many reasons.

/**
 * Do it now, and again after each pause, until the signal; a failure is told, and does not end it. Nothing is asked
 * while the page is hidden.
 * @param {number} pauseMs
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} act
 * @param {(error: Error) => void} failed
 */
export async function every(pauseMs, signal, act, failed) {
  while (!signal.aborted) {
    let pause = pauseMs;
    try {
      if (!document.hidden) await act();
    } catch (error) {
      if (signal.aborted) return;
      pause = Math.max(pauseMs, (error.retryAfterS ?? 0) * 1000);
      failed(error);
    }
    await wait(pause, signal);
  }
}

/**
 * A function that does it soon, once for however many calls until then, and never twice at a time.
 * @param {number} pauseMs
 * @param {() => Promise<void>} act
 */
export function soon(pauseMs, act) {
  let [isAsked, isRunning] = [false, false];
  const run = async () => {
    isRunning = true;
    while (isAsked) {
      await wait(pauseMs);
      isAsked = false;
      await act();
    }
    isRunning = false;
  };
  return () => {
    isAsked = true;
    if (!isRunning) run();
  };
}

/** Be back after a time, or at the signal. @param {number} ms @param {AbortSignal} [signal] */
export function wait(ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(undefined);
    const back = () => {
      clearTimeout(timer);
      // A panel that is open all day waits thousands of times on one signal.
      signal?.removeEventListener("abort", back);
      resolve(undefined);
    };
    const timer = setTimeout(back, ms);
    signal?.addEventListener("abort", back);
  });
}

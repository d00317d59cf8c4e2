// Calls of the public APIs: a credential in a header, JSON in and out, refusals of every API as one kind of error.

/** Tells, as `change` with a boolean `detail`, whether the server was reached at the last call. */
export const reach = new EventTarget();

/** A refusal: its status (0 where no answer came), what it says, and after how many seconds to ask again. */
export class Refused extends Error {
  /** @param {number} status @param {string} message @param {any} [body] @param {number} [retryAfterS] */
  constructor(status, message, body = null, retryAfterS = 0) {
    super(message);
    this.status = status;
    this.body = body;
    this.retryAfterS = retryAfterS;
  }
}

/**
 * What an API answers: its JSON, and the log and the place in it from which to follow what happens next.
 * @param {string} credential a token or a key, "" for none
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, signal?: AbortSignal, text?: boolean}} [options] `text`: the answer is no JSON
 * @returns {Promise<{data: any, channel: string | null, cursor: string | null}>}
 */
export async function call(credential, method, path, { body, signal, text = false } = {}) {
  const headers = credential ? { Authorization: `Bearer ${credential}` } : {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  // Whatever is sent twice, by a reader who does not know whether it arrived, is done once.
  if (method !== "GET" && credential) headers["Idempotency-Key"] = fresh();
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, signal, cache: "no-store", credentials: "omit", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    told(false);
    throw new Refused(0, "The server cannot be reached.");
  }
  told(true);
  if (!answer.ok) throw await refusal(answer);
  const data = answer.status === 204 ? null : text ? await answer.text() : await answer.json();
  return { data, channel: answer.headers.get("Tidemark-Channel"), cursor: answer.headers.get("Tidemark-Cursor") };
}

/** A name that nobody else has: also where the page is not in a secure context. @returns {string} */
export function fresh() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function told(isThere) {
  reach.dispatchEvent(new CustomEvent("change", { detail: isThere }));
}

async function refusal(answer) {
  let body = null;
  try {
    body = await answer.json();
  } catch { /* An answer from something in between, which has no JSON. */ }
  const told = typeof body?.error === "string" ? body.error : body?.error?.message;
  const details = [body?.details, body?.error?.details].find(Array.isArray) ?? [];
  const more = details.map((each) => each?.message && [each.path, each.message].flat().filter(Boolean).join(": ")).filter(Boolean);
  const message = [told ?? body?.message ?? `The server answered ${answer.status}.`, ...more].join(" · ");
  return new Refused(answer.status, message, body, Number(answer.headers.get("Retry-After")) || 0);
}

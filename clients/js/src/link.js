// The way to a server: URLs, calls with the token of the moment, and waits that can be given up.

import { Invalid } from "./errors.js";

const API = "/api/v1";

export const nowS = () => performance.now() / 1000;
export const chance = () => Math.random();

export class Link {
  #token;
  #base;

  constructor(url, { token = null, timing }) {
    this.#token = token;
    this.#base = baseOf(url);
    this.timing = timing;
  }

  get origin() {
    return this.#base.origin;
  }

  get isRenewable() {
    return typeof this.#token === "function";
  }

  async token() {
    return (typeof this.#token === "function" ? await this.#token() : this.#token) ?? null;
  }

  url(path, query) {
    const prefix = this.#base.pathname.replace(/\/+$/, "");
    const text = Object.keys(query).length ? `?${new URLSearchParams(query)}` : "";
    return `${this.origin}${prefix}${API}${path.map((part) => `/${encodeURIComponent(part)}`).join("")}${text}`;
  }

  // A browser lets nobody set the headers of a WebSocket, so the token is in its URL.
  async socketUrl(path, query) {
    const token = await this.token();
    return this.url(path, token === null ? query : { ...query, token }).replace(/^http/, "ws");
  }

  // Make a call; the answer with its body. Throws what fetch throws where none came in time.
  async ask(call, signal) {
    const timeout = AbortSignal.timeout(1000 * (this.timing.answerS + call.waitS));
    const response = await this.fetch(call.path, call.query, {
      method: call.method,
      headers: { Accept: "application/json", ...(call.body === null ? {} : JSON_BODY), ...call.headers },
      body: call.body,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    return answerOf(response);
  }

  async fetch(path, query, options) {
    const token = await this.token();
    const headers = { ...options.headers, ...(token === null ? {} : { Authorization: `Bearer ${token}` }) };
    return fetch(this.url(path, query), { ...options, headers, cache: "no-store" });
  }
}

const JSON_BODY = { "Content-Type": "application/json" };

// An answer with its body as text.
export async function answerOf(response) {
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
}

// What went wrong with a connection, in words for people.
export function saysOf(origin, error) {
  if (error?.name === "TimeoutError") return `${origin} does not answer: timed out`;
  const cause = error?.cause;
  const why = cause?.code ?? cause?.message ?? error?.message ?? String(error);
  return `${origin} does not answer: ${why}`;
}

// Whether this is no answer, and no mistake of the caller's own (such as a token function that throws).
export function isNetwork(error) {
  return error instanceof TypeError || error?.name === "TimeoutError" || error?.name === "AbortError";
}

// Wait so long, or until the signal.
export function sleep(seconds, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, 1000 * seconds);
    signal?.addEventListener("abort", done);
  });
}

function baseOf(url) {
  let base;
  try {
    base = new URL(url);
  } catch {
    throw new Invalid(`${url} is no URL`);
  }
  if (!/^https?:$/.test(base.protocol) || base.search || base.hash || base.username) {
    throw new Invalid(`${url} is no URL of a server: http://HOST:PORT or https://HOST`);
  }
  return base;
}

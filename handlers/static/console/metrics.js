// The server's metrics over time: asked for every two seconds, the last ten minutes kept in the page.

import { call } from "./api.js";
import { parse, quantile, rising, total } from "./exposition.js";
import { every } from "./repeat.js";

const PAUSE_MS = 2_000;
const MOST = 300;

/** Asks for the metrics and keeps what they were. */
export class Sampler {
  /** @param {string} credential */
  constructor(credential) {
    this.credential = credential;
    this.samples = [];
    this.last = null;
    this.error = null;
    this.ending = new AbortController();
    this.listeners = new Set();
  }

  /** Begin to ask. */
  start() {
    every(PAUSE_MS, this.ending.signal, () => this.#look(), (error) => { this.error = error; this.#tell(); });
  }

  /** Ask no more. */
  stop() {
    this.ending.abort();
  }

  /** Be told of each sample until the signal, and of what there is now. @param {AbortSignal} signal @param {() => void} act */
  watch(signal, act) {
    this.listeners.add(act);
    signal.addEventListener("abort", () => this.listeners.delete(act));
    act();
  }

  async #look() {
    const { data } = await call(this.credential, "GET", "/metrics", { text: true, signal: this.ending.signal });
    const now = { reading: parse(data), ms: Date.now() };
    if (this.last) this.samples = [...this.samples, sample(this.last, now)].slice(-MOST);
    this.last = now;
    this.error = null;
    this.#tell();
  }

  #tell() {
    for (const act of this.listeners) act();
  }
}

/**
 * What happened between two readings.
 * @param {{reading: any, ms: number}} before
 * @param {{reading: any, ms: number}} after
 */
export function sample(before, after) {
  const seconds = Math.max(0.001, (after.ms - before.ms) / 1000);
  const [old, now] = [before.reading, after.reading];
  const rate = (name, wanted) => rising(old, now, seconds, `tidemark_${name}`, wanted);
  const value = (name) => total(now, `tidemark_${name}`);
  const at = (name, share) => quantile(old, now, `tidemark_${name}`, share);
  return {
    ms: after.ms,
    connections: value("connections_open"),
    readers: value("readers_open"),
    deliveries: rate("deliveries_total"),
    published: rate("published_events_total"),
    requests: rate("http_requests_total"),
    failures: rate("http_requests_total", ({ status }) => status.startsWith("5")),
    feedHalf: at("feed_lag_seconds", 0.5),
    feedMost: at("feed_lag_seconds", 0.99),
    loopHalf: at("loop_lag_seconds", 0.5),
    loopMost: at("loop_lag_seconds", 0.99),
    engineHalf: at("engine_reply_seconds", 0.5),
    engineMost: at("engine_reply_seconds", 0.99),
    memory: value("engine_memory_bytes"),
    resident: value("process_resident_bytes"),
    cpu: rate("process_cpu_seconds_total"),
    timers: rate("timers_total"),
    webhooks: rate("webhook_attempts_total"),
    calls: rate("cuey_calls_total"),
  };
}

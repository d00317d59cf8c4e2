// Panels of a tenant: whose it is, where several keys open it, and its state beside its log: read the one, follow the
// other from that very place, and miss nothing.

import { keysFor } from "./access.js";
import { h } from "./dom.js";
import { soon } from "./repeat.js";

const PAUSE_MS = 80;

/**
 * The key that the address names, else the first, and a choice where there are several.
 * @param {any} access @param {"live" | "calendar" | "cuey"} api @param {string} panel @param {string} [tenant]
 */
export function tenancy(access, api, panel, tenant) {
  const keys = keysFor(access, api);
  const key = keys.find((each) => each.tenant === tenant) ?? keys[0];
  const choice = keys.length > 1
    ? h("select", { "aria-label": "Tenant", on: { change: () => { location.hash = `#/${panel}/${choice.value}`; } } }, keys.map((each) => h("option", { value: each.tenant, selected: each === key }, each.tenant)))
    : h("span", { class: "soft" }, key.tenant);
  return { key, choice };
}

/**
 * Load what is shown, and again whenever its log tells of something. `load` answers the channel and the cursor of the
 * moment that it was read; what is told since then is read again, never missed.
 * @param {{streams: any, key: any, signal: AbortSignal, load: () => Promise<{channel: string | null, cursor: string | null}>, failed: (error: Error) => void, told?: (event: any) => void}} of
 */
export async function following({ streams, key, signal, load, failed, told }) {
  let stop = null;
  signal.addEventListener("abort", () => stop?.());
  const again = soon(PAUSE_MS, async () => {
    try {
      if (!signal.aborted) await load();
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
  });
  const { channel, cursor } = await load();
  // A key of one agent reads no channel: then it is asked for now and then.
  if (!channel || key.agent) {
    const timer = setInterval(() => { if (!document.hidden) again(); }, 5_000);
    signal.addEventListener("abort", () => clearInterval(timer));
    return again;
  }
  if (signal.aborted) return again;
  stop = streams.follow(key.text, channel, { cursor }, {
    event: (event) => { told?.(event); again(); },
    level: ({ complete }) => { if (!complete) again(); },
    refused: (message) => failed(new Error(`This is not followed any more: ${message}.`)),
  });
  return again;
}

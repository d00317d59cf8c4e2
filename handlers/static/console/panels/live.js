// Live events of a tenant: their state as it changes, what can be done next, and what happened last.

import { call } from "../api.js";
import { h, keyed, put, say } from "../dom.js";
import { dated } from "../format.js";
import { LogView } from "../logview.js";
import { badge, button, card, empty, failure, field, form, secret, toast } from "../parts.js";
import { following, tenancy } from "../tenants.js";

const EVENTS = "/v1/live-events/events";
const TONES = { live: "live", rehearsal: "warn", ready: "accent", scheduled: "", ending: "warn", processing: "warn", ended: "", cancelled: "", failed: "bad" };
const STEPS = { ready: [["Rehearse", "rehearsal/start"], ["Go live", "live/start"]], rehearsal: [["Go live", "live/start"], ["Stop", "live/stop"]], live: [["Stop", "live/stop"]] };

/**
 * Show the panel.
 * @param {HTMLElement} main
 * @param {any} context
 */
export async function showLive(main, { access, streams, rest: [tenant], signal }) {
  const { key, choice } = tenancy(access, "live", "live", tenant);
  const rows = h("div", { class: "live-list" });
  const state = h("div", {});
  const log = new LogView();
  let isFirst = true;
  put(main, h("div", { class: "head" }, h("h1", {}, "Live events"), choice),
    h("div", { class: "split" },
      h("div", { class: "grow" }, h("section", { class: "card flush" }, rows, state), newEvent(key)),
      h("section", { class: "card flush side", "aria-label": "What happened" }, h("div", { class: "tools" }, h("h2", {}, "As it happens")), log.node)));
  const load = async () => {
    const answer = await call(key.text, "GET", `${EVENTS}?limit=100`, { signal });
    keyed(rows, answer.data.events, (each) => each.event_id, (each) => row(key, each));
    put(state, answer.data.events.length ? [] : empty("No live event is planned.", h("p", {}, "Plan one below; its state shows up here, and at its watch page.")));
    // After the state: what lies between the two is told twice, and shown once.
    if (isFirst) await past(key, log);
    isFirst = false;
    return answer;
  };
  await following({ streams, key, signal, load, failed: (error) => put(state, failure(error)), told: (event) => log.add(event) });
}

/** What happened before: the newest page of the tenant's log, where it has one. */
async function past(key, log) {
  const channel = key.channels.find((each) => each.startsWith("live-team-"));
  const page = channel && (await call(key.text, "GET", `/api/v1/channels/${channel}/events?limit=30`).catch(() => null));
  log.addOlder(page?.data.events ?? []);
}

function row(key, { event_id: id, slug }) {
  const [name, when, mode, steps] = [h("strong", {}), h("span", { class: "soft" }), h("span", { class: "soft" }), h("div", { class: "row" })];
  const status = badge("");
  const node = h("article", { class: "live-row", tabindex: "0", data: { item: "", event: id } },
    h("div", { class: "live-what" }, name, h("a", { href: `/watch/${encodeURIComponent(slug)}`, target: "_blank", rel: "noopener noreferrer" }, `/watch/${slug}`)),
    status, h("div", { class: "live-when" }, when, mode), steps);
  let shown = "";
  node.show = (event) => {
    say(name, event.name);
    say(status, event.status);
    status.className = `badge ${TONES[event.status] ?? ""}`;
    say(when, event.scheduled_start_at ? dated(event.scheduled_start_at) : "no time set");
    say(mode, event.visibility_mode.replace("_", " "));
    if (shown === event.status) return;
    shown = event.status;
    put(steps, (STEPS[event.status] ?? []).map(([text, step]) => button(text, () => call(key.text, "POST", `${EVENTS}/${id}/${step}`), step === "live/start" ? "primary" : "ghost")));
  };
  return node;
}

function newEvent(key) {
  const name = h("input", { required: true, maxlength: "200", name: "name", placeholder: "Town hall", autocomplete: "off" });
  const mode = h("select", { name: "mode" }, ["public", "token", "tenant_only"].map((each) => h("option", { value: each }, each.replace("_", " "))));
  const start = h("input", { type: "datetime-local", name: "start" });
  const shown = h("div", {});
  const act = async () => {
    const body = { name: name.value, visibility_mode: mode.value, ...(start.value && { scheduled_start_at: new Date(start.value).toISOString() }) };
    const { data } = await call(key.text, "POST", EVENTS, { body });
    put(shown, secret(data.stream_key, "The stream key of its encoder. It is not shown again."));
    toast(`Planned ${data.name}`, "good");
  };
  return card("Plan one", form({ action: "Plan", act, fields: [field("Name", name), h("div", { class: "pair" }, field("Who may watch", mode), field("Starts", start, "Empty for any time"))] }), shown);
}

// Webhooks of an organisation's calendars: each with its deliveries and what was left out; paused, resumed and replayed.

import { call } from "../api.js";
import { h, put, redraw } from "../dom.js";
import { count, dated } from "../format.js";
import { badge, button, card, empty, failure, field, form, secret, sure, table, toast } from "../parts.js";
import { every } from "../repeat.js";

const WEBHOOKS = "/v1/webhooks";
const PAUSE_MS = 3_000;
const TONES = { delivered: "good", failed: "bad", pending: "accent" };
const EVENTS = ["event.created", "event.updated", "event.deleted", "event.started", "event.ended", "event.reminder",
  "event.hold_created", "event.hold_expired", "event.hold_released", "event.hold_confirmed", "agent.created", "webhook.deactivated"];

/**
 * Show an organisation's webhooks, or one of them.
 * @param {HTMLElement} main @param {any} head @param {any} key the organisation's @param {string | undefined} id
 * @param {AbortSignal} signal
 */
export async function showOrgWebhooks(main, head, key, id, signal) {
  if (id) return showOne(main, head, key, `${WEBHOOKS}/${encodeURIComponent(id)}`, signal);
  const list = h("div", {});
  const look = async () => {
    const { data } = await call(key.text, "GET", `${WEBHOOKS}?limit=100`, { signal });
    redraw(list, data.data, () => data.data.length ? table(["Called", "Of", "State"], h("tbody", {}, data.data.map((each) => h("tr", {},
      h("td", { class: "wrap" }, h("a", { href: `#/webhooks/org:${key.tenant}/${each.id}`, data: { item: "" } }, each.url)),
      h("td", { class: "wrap" }, each.events.map((name) => badge(name))), h("td", {}, stateOf(each)))))) : empty("Nobody is called for what happens to this organisation's calendars."));
  };
  put(main, head, h("div", { class: "card flush" }, list), registration(key));
  await every(PAUSE_MS, signal, look, (error) => put(list, failure(error)));
}

async function showOne(main, head, key, path, signal) {
  const [state, rows, stats] = [h("div", {}), h("div", {}), h("span", { class: "soft" })];
  const status = h("select", { "aria-label": "Status" }, ["", "pending", "delivered", "failed"].map((name) => h("option", { value: name }, name || "all states")));
  const view = { shown: 50 };
  const more = button("Earlier deliveries", async () => { view.shown += 50; await look(); });
  const look = async () => {
    const [{ data: webhook }, page] = await Promise.all([call(key.text, "GET", path, { signal }), deliveries(key, path, status.value, view.shown, signal)]);
    redraw(state, webhook, () => factsOf(webhook));
    redraw(actions, webhook.active, () => [button(webhook.active ? "Pause" : "Resume", act("PATCH", "", { active: !webhook.active }, webhook.active ? "Paused" : "Sent from now on"), webhook.active ? "ghost" : "primary"), remove]);
    redraw(gaps, webhook.gaps, () => webhook.gaps.map((gap) => gapLine(gap, act)));
    put(stats, `${count(page.stats.pending)} pending · ${count(page.stats.delivered)} delivered · ${count(page.stats.failed)} failed`);
    redraw(rows, page.data, () => page.data.length ? attempts(page.data) : empty("No delivery yet.", h("p", {}, "What happens to the calendars from now on shows up here.")));
    more.hidden = page.data.length >= page.total;
  };
  const act = (method, name, body, said) => async () => { await call(key.text, method, path + name, { body }); toast(said, "good"); await look(); };
  const remove = sure("Remove", async () => { await call(key.text, "DELETE", path); location.hash = `#/webhooks/org:${key.tenant}`; });
  const [actions, gaps] = [h("div", { class: "row" }), h("div", {})];
  const from = h("input", { class: "mono", name: "from", required: true, autocomplete: "off", placeholder: "a cursor of the organisation's channel" });
  const replay = async () => { await act("POST", "/replay", { cursor: from.value.trim() }, "Replaying")(); };
  status.addEventListener("change", () => look().catch((error) => put(rows, failure(error))));
  put(main, head, card("State", state, gaps, actions),
    card("Replay", form({ class: "inline", action: "Replay", act: replay, fields: [field("Everything after", from, "Delivered in order, also what was delivered before.")] })),
    h("section", { class: "card flush" }, h("div", { class: "tools" }, h("h2", {}, "Deliveries"), stats, status), rows, h("div", { class: "log-foot" }, more)));
  await every(PAUSE_MS, signal, look, (error) => put(rows, failure(error)));
}

async function deliveries(key, path, status, most, signal) {
  let [found, page] = [[], null];
  do {
    const query = new URLSearchParams({ limit: "50", offset: String(found.length), ...(status && { status }) });
    page = (await call(key.text, "GET", `${path}/deliveries?${query}`, { signal })).data;
    found = found.concat(page.data);
  } while (page.data.length && found.length < Math.min(most, page.total));
  return { ...page, data: found };
}

function stateOf({ active, consecutive_failures: failures }) {
  return [badge(active ? "active" : "paused", active ? "good" : "bad"), failures > 0 && badge(`${failures} failed in a row`, "warn")];
}

function factsOf(webhook) {
  return h("dl", { class: "facts" },
    h("dt", {}, "Called"), h("dd", { class: "wrap" }, webhook.url), h("dt", {}, "State"), h("dd", {}, stateOf(webhook)),
    h("dt", {}, "Delivered up to"), h("dd", { class: "mono wrap" }, webhook.cursor),
    h("dt", {}, "Of"), h("dd", {}, webhook.events.map((name) => badge(name))));
}

function gapLine({ after, until, at }, act) {
  return h("div", { class: "line" }, h("p", {}, badge("left out", "warn"), ` on ${dated(at)}, up to `, h("span", { class: "mono" }, until)), button("Deliver it", act("POST", "/replay", { cursor: after }, "Replaying")));
}

function attempts(rows) {
  return table(["Since", "Of", "State", "Answer", "Tries", "Last try", "Next try"], h("tbody", {}, rows.map((each) => h("tr", {},
    h("td", {}, dated(each.created_at)), h("td", {}, badge(each.event_type)), h("td", {}, badge(each.status, TONES[each.status])),
    h("td", { class: "wrap" }, each.error ?? each.response_status ?? "–"), h("td", { class: "num" }, each.attempts),
    h("td", {}, dated(each.last_attempt_at)), h("td", {}, dated(each.next_retry_at))))));
}

function registration(key) {
  const url = h("input", { type: "url", name: "url", required: true, placeholder: "https://hooks.example.com/calendar" });
  const boxes = EVENTS.map((name) => h("input", { type: "checkbox", name: "event", value: name, checked: !name.startsWith("webhook") }));
  const shown = h("div", {});
  const act = async () => {
    const events = boxes.filter((box) => box.checked).map((box) => box.value);
    if (!events.length) throw new Error("Choose what it is called for.");
    const { data } = await call(key.text, "POST", WEBHOOKS, { body: { url: url.value, events } });
    put(shown, secret(data.secret, "The secret that verifies its deliveries. It is not shown again."));
  };
  return card("New webhook", form({ action: "Register", act, fields: [field("Address", url),
    h("fieldset", { class: "checks" }, h("legend", {}, "Called for"), boxes.map((box) => h("label", { class: "check" }, box, box.value)))] }), shown);
}

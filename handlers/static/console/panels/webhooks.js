// Webhooks of a channel: how far each is, its log of deliveries, going on after a pause, and replay from any place.
// Those of an organisation's calendars are chosen here too.

import { keysFor } from "../access.js";
import { call } from "../api.js";
import { h, put, redraw } from "../dom.js";
import { dated } from "../format.js";
import { badge, button, card, empty, failure, field, form, secret, sure, table, toast } from "../parts.js";
import { every } from "../repeat.js";
import { showOrgWebhooks } from "./org_webhooks.js";

const TONES = { delivered: "good", retrying: "warn", dead: "bad", gap: "bad", probe: "warn", active: "good", paused_failing: "bad", paused_gone: "bad" };
const VERDICTS = ["", "delivered", "retrying", "dead", "probe", "gap"];

/**
 * Show the panel: a channel's webhooks, or one of them.
 * @param {HTMLElement} main
 * @param {any} context
 */
export async function showWebhooks(main, context) {
  const { access, rest: [channel, id], signal } = context;
  const { data } = await call(access.token, "GET", "/api/v1/channels?limit=500", { signal });
  const organisations = orgKeys(access);
  const option = (value, text) => h("option", { value, selected: value === channel }, text);
  const choice = h("select", { "aria-label": "Whose webhooks", data: { search: "" }, on: { change: () => { location.hash = `#/webhooks/${choice.value}`; } } },
    h("option", { value: "" }, "Choose whose"),
    organisations.length > 0 && h("optgroup", { label: "Calendars of" }, organisations.map((key) => option(`org:${key.tenant}`, key.tenant))),
    data.channels.length > 0 && h("optgroup", { label: "Channels" }, data.channels.map((each) => option(each.id, each.id))));
  const head = h("div", { class: "head" }, h("h1", {}, "Webhooks"), choice);
  if (!channel) return put(main, head, h("div", { class: "card" }, empty("A webhook is a reader that happens to be called.", h("p", {}, "Choose a channel, or an organisation's calendars, to see who is called for what happens there."))));
  const organisation = organisations.find((key) => channel === `org:${key.tenant}`);
  if (organisation) return showOrgWebhooks(main, head, organisation, id, signal);
  const path = `/api/v1/channels/${encodeURIComponent(channel)}/webhooks`;
  if (id) return showOne(main, head, access, channel, `${path}/${encodeURIComponent(id)}`, signal);
  const list = h("div", {});
  put(main, head, h("div", { class: "card flush" }, list), registration(access, channel, path));
  await every(4_000, signal, async () => {
    const { data: { webhooks } } = await call(access.token, "GET", path, { signal });
    redraw(list, webhooks, () => webhooks.length ? table(["Called", "Types", "Until", ""], h("tbody", {}, webhooks.map((each) => h("tr", {},
      h("td", { class: "wrap" }, h("a", { href: `#/webhooks/${encodeURIComponent(channel)}/${each.id}`, data: { item: "" } }, each.url)),
      h("td", {}, each.event_types ? each.event_types.map((type) => badge(type)) : h("span", { class: "soft" }, "all")),
      h("td", {}, dated(each.expires_at)), h("td", { class: "mono soft" }, each.id))))) : empty("Nobody is called for this channel's events."));
  }, (error) => put(list, failure(error)));
}

/**
 * The keys that see the webhooks of their organisation: an agent's does not.
 * @param {any} access
 */
export function orgKeys(access) {
  return keysFor(access, "calendar").filter((key) => !key.agent);
}

async function showOne(main, head, access, channel, path, signal) {
  const state = h("div", {});
  const rows = h("div", {});
  const verdict = h("select", { "aria-label": "Outcome" }, VERDICTS.map((name) => h("option", { value: name }, name || "all outcomes")));
  const more = { before: null, extra: [] };
  const older = button("Earlier attempts", async () => {
    const page = await deliveries(access, path, verdict.value, more.before);
    more.extra.push(...page.deliveries);
    more.before = page.before;
    await look();
  });
  const look = async () => {
    const [{ data: webhook }, page] = await Promise.all([call(access.token, "GET", path, { signal }), deliveries(access, path, verdict.value)]);
    redraw(state, webhook, () => progress(webhook));
    if (!more.extra.length) more.before = page.before;
    const shown = [...new Map([...page.deliveries, ...more.extra].map((each) => [each.number, each])).values()];
    redraw(rows, shown, () => shown.length ? attempts(shown) : empty("No attempt yet.", h("p", {}, "Each call, its outcome and its time show up here.")));
    older.hidden = more.before === null;
  };
  verdict.addEventListener("change", () => { Object.assign(more, { before: null, extra: [] }); look().catch((error) => put(rows, failure(error))); });
  const act = (name, body) => async () => { await call(access.token, "POST", `${path}/${name}`, { body: body?.() }); toast(name === "resume" ? "Everything that waits is tried now" : "Replaying", "good"); await look(); };
  const remove = async () => { await call(access.token, "DELETE", path); location.hash = `#/webhooks/${encodeURIComponent(channel)}`; };
  put(main, head,
    card("State", state, h("div", { class: "row" }, button("Resume", act("resume")), sure("Remove", remove))),
    replay(act),
    h("section", { class: "card flush" }, h("div", { class: "tools" }, h("h2", {}, "Deliveries"), verdict), rows, h("div", { class: "log-foot" }, older)));
  await every(2_000, signal, look, (error) => put(rows, failure(error)));
}

async function deliveries(access, path, verdict, before = null) {
  const query = new URLSearchParams({ limit: "50", ...(verdict && { verdict }), ...(before !== null && { before }) });
  return (await call(access.token, "GET", `${path}/deliveries?${query}`)).data;
}

function progress({ url, event_types: types, expires_at: ends, deliveries: { status, cursor, failures, waiting_subjects: waiting, resumes_at: resumes } }) {
  return h("dl", { class: "facts" },
    h("dt", {}, "Called"), h("dd", { class: "wrap" }, url),
    h("dt", {}, "State"), h("dd", {}, badge(status.replace("_", ": "), TONES[status]), resumes && ` nothing is sent before ${dated(resumes)}`),
    h("dt", {}, "Delivered up to"), h("dd", { class: "mono wrap" }, cursor),
    h("dt", {}, "Failures in a row"), h("dd", {}, String(failures)),
    h("dt", {}, "Subjects that wait"), h("dd", {}, String(waiting)),
    h("dt", {}, "Types"), h("dd", {}, types?.join(", ") ?? "all"),
    h("dt", {}, "Until"), h("dd", {}, dated(ends)));
}

function attempts(rows) {
  return table(["At", "Outcome", "Answer", "Took", "Try", "Event", "Next try"], h("tbody", {}, rows.map((each) => h("tr", {},
    h("td", {}, dated(each.at)), h("td", {}, badge(each.verdict, TONES[each.verdict] ?? "")),
    h("td", { class: "wrap" }, each.status ?? each.error ?? (each.after ? `from ${each.after}` : "–")),
    h("td", { class: "num" }, each.duration_ms === undefined ? "" : `${each.duration_ms} ms`), h("td", { class: "num" }, each.attempt ?? ""),
    h("td", { class: "mono soft" }, each.event_id ?? each.until ?? ""), h("td", {}, each.next_attempt_at ? dated(each.next_attempt_at) : "")))));
}

function replay(act) {
  const from = h("input", { class: "mono", required: true, name: "from", placeholder: "a cursor, or 2026-11-26T12:00:00Z", autocomplete: "off" });
  const body = () => (/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(from.value.trim()) ? { cursor: from.value.trim() } : { since: from.value.trim() });
  return card("Replay", form({ class: "inline", action: "Replay", act: act("replay", body), fields: [field("Everything after", from, "Delivered in order, also what was delivered before.")] }));
}

function registration(access, channel, path) {
  const url = h("input", { type: "url", required: true, name: "url", placeholder: "https://shop.example.com/hook" });
  const types = h("input", { name: "types", placeholder: "all", autocomplete: "off" });
  const shown = h("div", {});
  const act = async () => {
    const names = types.value.split(",").map((each) => each.trim()).filter(Boolean);
    const { data } = await call(access.token, "POST", path, { body: { url: url.value, ...(names.length && { event_types: names }) } });
    put(shown, data.secret ? secret(data.secret, "The secret that verifies its deliveries. It is not shown again.") : h("p", { class: "hint" }, "Renewed."));
  };
  return card("New webhook", form({ action: "Register", act, fields: [h("div", { class: "pair" }, field("Address", url), field("Types", types, "A comma list"))] }), shown);
}

// Calls that are made at a time (cuey): each with its attempts, as they are made, and the crons that make them.

import { call } from "../api.js";
import { h, keyed, put, redraw, say } from "../dom.js";
import { count, dated } from "../format.js";
import { badge, card, empty, failure, field, form, sure, table, toast } from "../parts.js";
import { following, tenancy } from "../tenants.js";

const TONES = { pending: "", processing: "accent", success: "good", failed: "bad" };
const PAGE = 100;

/**
 * Show the panel.
 * @param {HTMLElement} main
 * @param {any} context
 */
export async function showCuey(main, { access, streams, rest: [tenant], signal }) {
  const { key, choice } = tenancy(access, "cuey", "calls", tenant);
  const status = h("select", { "aria-label": "Status", data: { search: "" } }, ["", "pending", "processing", "success", "failed"].map((name) => h("option", { value: name }, name || "all states")));
  const [rows, state, crons, total] = [h("div", { class: "calls-list" }), h("div", {}), h("div", {}), h("span", { class: "soft" })];
  put(main, h("div", { class: "head" }, h("h1", {}, "Calls"), choice, total, h("span", { class: "spring" }), status),
    h("section", { class: "card flush" }, rows, state),
    h("div", { class: "columns" }, newCall(key), card("Crons", crons)));
  const load = async () => {
    const answer = await call(key.text, "GET", `/api/v1/events?limit=${PAGE}${status.value && `&status=${status.value}`}`, { signal });
    const chains = chained(answer.data.data);
    keyed(rows, chains, (each) => each.id, (each) => row(key, each));
    say(total, `${count(answer.data.pagination.total)} attempts`);
    put(state, chains.length ? [] : empty("No call is planned.", h("p", {}, "A call is made at its time, never early, and again when its receiver does not take it.")));
    const { data } = await call(key.text, "GET", "/api/v1/crons?limit=100", { signal });
    redraw(crons, data.data, () => data.data.length ? cronTable(data.data, (id) => call(key.text, "DELETE", `/api/v1/crons/${id}`)) : empty("No cron."));
    return answer;
  };
  const again = await following({ streams, key, signal, load, failed: (error) => put(state, failure(error)) });
  status.addEventListener("change", again);
}

/**
 * Attempts joined to calls: an event and those that try it again, the first attempt first, the latest call on top.
 * @param {any[]} events
 * @returns {{id: string, attempts: any[]}[]}
 */
export function chained(events) {
  const found = new Map();
  for (const event of events) {
    const id = event.retry_of ?? event.id;
    found.set(id, [...(found.get(id) ?? []), event]);
  }
  return [...found].map(([id, attempts]) => ({ id, attempts: attempts.sort((a, b) => a.scheduled_at.localeCompare(b.scheduled_at)) }));
}

function row(key, { id }) {
  const [when, what, dots, end, inside] = [h("span", { class: "num" }), h("span", { class: "wrap" }), h("span", { class: "dots" }), badge(""), h("div", { class: "opened" })];
  const node = h("details", { class: "call", data: { call: id } }, h("summary", { data: { item: "" } }, when, what, dots, end), inside);
  node.show = ({ attempts }) => {
    const last = attempts.at(-1);
    say(when, dated(last.scheduled_at));
    say(what, `${last.method} ${last.webhook_url}`);
    redraw(dots, attempts, () => [attempts.map((each) => h("span", { class: `dot ${each.status}`, title: `${each.status} ${each.response_status ?? each.response_error ?? ""}` })), h("span", { class: "soft" }, attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts`)]);
    say(end, last.status);
    end.className = `badge ${TONES[last.status]}`;
    redraw(inside, attempts, () => table(["Planned", "Called", "State", "Answer", "Took", ""], h("tbody", {}, attempts.map((each) => attempt(key, each)))));
  };
  return node;
}

function attempt(key, each) {
  const isOpen = each.status === "pending" && !each.retry_of && !each.cron_id;
  return h("tr", {},
    h("td", {}, dated(each.scheduled_at)), h("td", {}, dated(each.executed_at)), h("td", {}, badge(each.status, TONES[each.status])),
    h("td", { class: "wrap" }, [each.response_error ?? each.response_status, each.response_body?.slice(0, 200)].filter(Boolean).join(" · ") || "–"),
    h("td", { class: "num" }, each.response_duration === null ? "" : `${each.response_duration} ms`),
    h("td", { class: "end" }, isOpen && sure("Take back", () => call(key.text, "DELETE", `/api/v1/events/${each.id}`))));
}

function newCall(key) {
  const url = h("input", { type: "url", required: true, name: "url", placeholder: "https://shop.example.com/hook" });
  const method = h("select", { name: "method" }, ["POST", "GET", "PUT", "PATCH", "DELETE"].map((name) => h("option", {}, name)));
  const after = h("input", { type: "number", name: "after", min: "1", value: "60", required: true });
  const act = async () => {
    const body = { webhook_url: url.value, method: method.value, scheduled_at: new Date(Date.now() + after.value * 1000).toISOString() };
    await call(key.text, "POST", "/api/v1/events", { body });
    toast("Planned", "good");
  };
  return card("Plan a call", form({ action: "Plan", act, fields: [field("Address", url), h("div", { class: "pair" }, field("Method", method), field("In seconds", after))] }));
}

function cronTable(rows, remove) {
  return table(["When", "Called", ""], h("tbody", {}, rows.map((each) => h("tr", { class: each.is_active ? "" : "over" },
    h("td", {}, h("code", {}, each.cron_expression), " ", h("span", { class: "soft" }, each.timezone ?? "UTC")),
    h("td", { class: "wrap" }, each.webhook_url), h("td", { class: "end" }, each.is_active ? "" : badge("paused"), sure("Remove", () => remove(each.id)))))));
}

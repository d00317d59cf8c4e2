// Timers: what will fire next, when and for what, counted down by the server's clock.

import { call } from "../api.js";
import { h, keyed, put, say } from "../dom.js";
import { count, dated, span } from "../format.js";
import { badge, empty, failure, table } from "../parts.js";
import { every } from "../repeat.js";

const PAUSE_MS = 1_000;
const MOST = 200;

/**
 * Show the panel.
 * @param {HTMLElement} main
 * @param {any} context
 */
export async function showTimers(main, { access, signal }) {
  const total = h("span", { class: "soft" });
  const body = h("tbody", {});
  const state = h("div", {});
  const box = table(["Due in", "Kind", "Owner", "Subject", "Due at", "Tries"], body, "timers-table");
  put(main, h("div", { class: "head" }, h("h1", {}, "Timers"), total), h("div", { class: "card flush" }, box, state));
  const look = async () => {
    const { data } = await call(access.token, "GET", `/admin/timers?limit=${MOST}`, { signal });
    const aheadMs = Date.parse(data.now) - Date.now();
    keyed(body, data.timers, (each) => `${each.kind} ${each.owner} ${each.subject}`, (timer) => row(timer, () => Date.now() + aheadMs));
    say(total, `${count(data.total)} in all${data.total > data.timers.length ? `, the next ${data.timers.length} shown` : ""}`);
    box.hidden = !data.timers.length;
    put(state, data.timers.length ? [] : empty("Nothing is waiting for its time.", h("p", {}, "Scheduled publishes, holds, reminders, retries and crons show up here before they fire.")));
  };
  await every(PAUSE_MS, signal, look, (error) => { if (!body.childElementCount) put(state, failure(error)); });
}

function row(timer, nowMs) {
  const [left, due, tries] = [h("td", { class: "num" }), h("td", {}), h("td", { class: "num" })];
  const node = h("tr", {}, left, h("td", {}, badge(timer.kind)), h("td", {}, timer.owner), h("td", { class: "mono wrap" }, timer.subject), due, tries);
  node.show = (each) => {
    const ms = Date.parse(each.due_at) - nowMs();
    say(left, each.claimed ? "being done" : ms > 0 ? span(ms) : `${span(ms)} overdue`);
    node.classList.toggle("soon", ms < 10_000);
    say(due, dated(each.due_at));
    say(tries, each.tries ? count(each.tries) : "");
  };
  return node;
}

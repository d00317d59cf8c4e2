// Calendars: a day or a week of one, with holds that appear and end as it happens.

import { call } from "../api.js";
import { h, put, say } from "../dom.js";
import { date } from "../format.js";
import { dayOf, mondayOf, parseDay, spell } from "../grid.js";
import { card, empty, failure } from "../parts.js";
import { following, tenancy } from "../tenants.js";
import { CalendarGrid } from "./calendar_grid.js";
import { newCalendar, newCalendarEvent, shownEvent } from "./calendar_forms.js";

const MOST = 200;

/**
 * Show the panel: `#/calendars/<tenant>/<calendar>/<day or week>/<date>`.
 * @param {HTMLElement} main
 * @param {any} context
 */
export async function showCalendars(main, { access, streams, rest: [tenant, id, kind, text], signal }) {
  const { key, choice } = tenancy(access, "calendar", "calendars", tenant);
  const { data } = await call(key.text, "GET", `/v1/calendars?limit=${MOST}`, { signal });
  const calendar = data.data.find((each) => each.id === id) ?? data.data[0];
  const go = (to) => { location.hash = `#/calendars/${key.tenant}/${to.id}/${to.kind}/${spell(to.day)}`; };
  if (!calendar) {
    return put(main, h("div", { class: "head" }, h("h1", {}, "Calendars"), choice),
      h("div", { class: "card" }, empty("There is no calendar yet.", h("p", {}, "Make one, then place holds and events in it."))), newCalendar(key, (made) => go({ id: made, kind: "week", day: new Date() })));
  }
  const view = { id: calendar.id, kind: kind ?? (matchMedia("(max-width: 700px)").matches ? "day" : "week"), day: parseDay(text) ?? dayOf(new Date()) };
  const first = view.kind === "day" ? view.day : mondayOf(view.day);
  const length = view.kind === "day" ? 1 : 7;
  const state = h("div", {});
  const chosen = h("div", {});
  const held = h("span", { class: "soft" });
  const grid = new CalendarGrid(first, length, (event) => put(chosen, shownEvent(key, event, () => put(chosen))));
  const calendars = h("select", { "aria-label": "Calendar", data: { search: "" }, on: { change: () => go({ ...view, id: calendars.value }) } },
    data.data.map((each) => h("option", { value: each.id, selected: each === calendar }, each.name)));
  put(main,
    h("div", { class: "head" }, h("h1", {}, "Calendars"), choice, calendars),
    h("div", { class: "head second" },
      step("‹", "Earlier", () => go({ ...view, day: dayOf(first, -length) })), step("Today", "Today", () => go({ ...view, day: new Date() })), step("›", "Later", () => go({ ...view, day: dayOf(first, length) })),
      h("h2", {}, length === 1 ? date(first) : `${date(first)} – ${date(dayOf(first, 6))}`), held, h("span", { class: "spring" }),
      h("div", { class: "switch", role: "group", "aria-label": "View" }, ["day", "week"].map((each) => h("button", { type: "button", class: "ghost", "aria-pressed": String(each === view.kind), on: { click: () => go({ ...view, kind: each }) } }, each)))),
    state, h("section", { class: "card flush" }, grid.node), h("p", { class: "hint" }, `Times of your browser (${Intl.DateTimeFormat().resolvedOptions().timeZone}). The calendar's zone is ${calendar.timezone}.`),
    chosen, h("div", { class: "columns" }, newCalendarEvent(key, calendar, first), newCalendar(key, (made) => go({ ...view, id: made }))));
  const load = async () => {
    const answer = await eventsOf(key, calendar.id, first, dayOf(first, length), signal);
    const events = answer.events.filter((event) => event.status !== "cancelled");
    grid.show(events);
    const holds = events.filter((event) => event.status === "hold").length;
    say(held, holds ? `${holds} ${holds === 1 ? "hold" : "holds"}` : "");
    put(state);
    return answer;
  };
  await following({ streams, key, signal, load, failed: (error) => put(state, card("", failure(error))) });
  const timer = setInterval(() => grid.tick(), 1_000);
  signal.addEventListener("abort", () => clearInterval(timer));
  grid.tick();
  grid.scrollToMorning();
}

/** All events that touch a span, and where to follow from: the place of the first page, as what comes after it is told. */
async function eventsOf(key, id, from, to, signal) {
  // Events are found by their start; what began earlier and still goes on is at most a week old here.
  const query = (offset) => `/v1/calendars/${id}/events?start_after=${encodeURIComponent(dayOf(from, -7).toISOString())}&start_before=${encodeURIComponent(to.toISOString())}&limit=${MOST}&offset=${offset}`;
  const first = await call(key.text, "GET", query(0), { signal });
  let events = first.data.data;
  while (events.length < first.data.total) {
    const { data } = await call(key.text, "GET", query(events.length), { signal });
    if (!data.data.length) break;
    events = events.concat(data.data);
  }
  return { events, channel: first.channel, cursor: first.cursor };
}

function step(text, label, act) {
  return h("button", { class: "ghost", type: "button", "aria-label": label, on: { click: act } }, text);
}

// Making calendars, events and holds, and deciding a hold that was chosen in the grid.

import { call } from "../api.js";
import { h } from "../dom.js";
import { dated } from "../format.js";
import { badge, button, card, field, form, sure, toast } from "../parts.js";

const MINUTE_MS = 60_000;
const HOLD_MIN = 5;

/**
 * A form for an event or a hold of a calendar.
 * @param {any} key @param {any} calendar @param {Date} first the first day shown
 */
export function newCalendarEvent(key, calendar, first) {
  const start = new Date(Math.max(first.getTime() + 9 * 60 * MINUTE_MS, Math.ceil(Date.now() / (30 * MINUTE_MS)) * 30 * MINUTE_MS));
  const title = h("input", { name: "title", required: true, maxlength: "500", value: "Hold", autocomplete: "off" });
  const from = h("input", { name: "start", type: "datetime-local", required: true, value: local(start) });
  const minutes = h("input", { name: "minutes", type: "number", min: "1", required: true, value: "60" });
  const status = h("select", { name: "status" }, ["hold", "confirmed", "tentative"].map((each) => h("option", {}, each)));
  const priority = h("input", { name: "priority", type: "number", min: "0", max: "100", value: "1" });
  const act = async () => {
    const begins = new Date(from.value);
    const isHold = status.value === "hold";
    const body = {
      title: title.value, status: status.value, start_time: begins.toISOString(), end_time: new Date(begins.getTime() + minutes.value * MINUTE_MS).toISOString(),
      ...(isHold && { hold_priority: Number(priority.value), hold_expires_at: new Date(Date.now() + HOLD_MIN * MINUTE_MS).toISOString() }),
    };
    await call(key.text, "POST", `/v1/calendars/${calendar.id}/events`, { body });
    toast(isHold ? `Held for ${HOLD_MIN} minutes` : "Made", "good");
  };
  return card("New event or hold", form({ action: "Place it", act, fields: [
    h("div", { class: "pair" }, field("Title", title), field("Kind", status, `A hold lasts ${HOLD_MIN} minutes`)),
    h("div", { class: "pair" }, field("Starts", from), field("Minutes", minutes)), field("Priority of a hold", priority, "Higher than every hold that it overlaps")] }));
}

/**
 * A form for a calendar.
 * @param {any} key @param {(id: string) => void} made
 */
export function newCalendar(key, made) {
  const name = h("input", { name: "name", required: true, maxlength: "255", placeholder: "Ada", autocomplete: "off" });
  const zone = h("input", { name: "zone", required: true, value: Intl.DateTimeFormat().resolvedOptions().timeZone, autocomplete: "off" });
  const act = async () => made((await call(key.text, "POST", "/v1/calendars", { body: { name: name.value, timezone: zone.value } })).data.id);
  return card("New calendar", form({ action: "Make it", act, fields: [field("Name", name), field("Time zone", zone)] }));
}

/**
 * An event that was chosen, with what can be done about it.
 * @param {any} key @param {any} event @param {() => void} close
 */
export function shownEvent(key, event, close) {
  const act = (verb) => async () => { await call(key.text, "PUT", `/v1/events/${event.id}/${verb}`); close(); };
  const remove = async () => { await call(key.text, "DELETE", `/v1/events/${event.id}`); close(); };
  return card(event.title,
    h("dl", { class: "facts" },
      h("dt", {}, "State"), h("dd", {}, badge(event.status, event.status === "confirmed" ? "good" : "warn")),
      h("dt", {}, "From"), h("dd", {}, dated(event.start_time)), h("dt", {}, "To"), h("dd", {}, dated(event.end_time)),
      event.status === "hold" && [h("dt", {}, "Held until"), h("dd", {}, dated(event.hold_expires_at))],
      event.description && [h("dt", {}, "Description"), h("dd", {}, event.description)]),
    h("div", { class: "row" },
      event.status === "hold" && [button("Confirm", act("confirm"), "primary"), button("Release", act("release"))],
      event.status !== "hold" && event.source === "internal" && sure("Remove", remove), button("Close", async () => close())));
}

function local(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 16);
}

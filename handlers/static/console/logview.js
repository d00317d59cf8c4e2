// A log as rows, the newest on top: new ones come in batches of a frame, older ones at the end, each opened to its JSON.

import { h } from "./dom.js";
import { cut, date, moment } from "./format.js";
import { badge } from "./parts.js";
import { pretty } from "./json.js";

const MOST_ROWS = 1_000;
const MOST_AT_ONCE = 200;
const FAR_PX = 600;

/** The rows of a log. */
export class LogView {
  /** @param {{pick?: (type: string) => void}} [on] what a click on a type does */
  constructor({ pick } = {}) {
    this.node = h("div", { class: "log" });
    this.pick = pick;
    this.waiting = [];
    this.isPaused = false;
    this.skipped = 0;
    this.newest = "";
    this.told = () => {};
    this.cut = () => {};
  }

  /** An event that has just happened. @param {any} event */
  add(event) {
    // Ids rise: what a page has shown already may be told once more.
    if (event.id <= this.newest) return;
    this.newest = event.id;
    this.waiting.push(event);
    if (this.isPaused) {
      // What is not shown is not kept without end either; the log has it.
      if (this.waiting.length > MOST_ROWS) this.skipped += this.waiting.splice(0, this.waiting.length - MOST_ROWS).length;
      this.told(this);
    } else if (this.waiting.length === 1) requestAnimationFrame(() => this.#flush());
  }

  /** Events before those shown, in the order of the log. @param {any[]} events */
  addOlder(events) {
    if (!this.newest && events.length) this.newest = events.at(-1).id;
    for (const event of [...events].reverse()) this.node.append(this.#row(event, false));
  }

  /** Stop showing what comes, or go on with it. @param {boolean} isPaused */
  pause(isPaused) {
    this.isPaused = isPaused;
    if (!isPaused) this.#flush();
    this.told(this);
  }

  /** A line of its own between the events: something that the reader must know. @param {string} text */
  note(text) {
    this.node.prepend(h("p", { class: "log-note" }, text));
  }

  /** Show nothing. */
  clear() {
    this.node.replaceChildren();
    this.waiting = [];
    this.newest = "";
  }

  #flush() {
    if (this.isPaused) return;
    const events = this.waiting;
    this.waiting = [];
    this.skipped += Math.max(0, events.length - MOST_AT_ONCE);
    if (this.skipped) {
      this.note(`${this.skipped.toLocaleString("en")} events passed by faster than they can be shown. Reload the log to read them.`);
      this.skipped = 0;
    }
    this.node.prepend(...events.slice(-MOST_AT_ONCE).reverse().map((event) => this.#row(event, true)));
    if (this.node.childElementCount > MOST_ROWS) this.#shorten();
    this.told(this);
  }

  /** Too much is shown: who reads far below goes on reading, and what comes waits; else the oldest go. */
  #shorten() {
    if (scrollY > FAR_PX) return this.pause(true);
    while (this.node.childElementCount > MOST_ROWS) this.node.lastElementChild.remove();
    this.cut([...this.node.querySelectorAll(".event")].at(-1).dataset.id);
  }

  #row(event, isNew) {
    const type = event.type === null ? null : h("button", { class: "type", type: "button", title: "Show this type only", on: { click: (click) => { click.preventDefault(); this.pick?.(event.type); } } }, event.type || "“”");
    const summary = h("summary", { data: { item: "" } },
      h("time", { datetime: event.created_at, title: `${date(event.created_at)} · ${event.id}` }, moment(event.created_at)),
      type ?? h("span", { class: "untyped" }, "no type"),
      h("span", { class: "preview" }, cut(JSON.stringify(event.data) ?? "", 240)),
      h("span", { class: "by" }, event.publisher_name ?? event.publisher_id ?? ""));
    const row = h("details", { class: isNew ? "event new" : "event", data: { id: event.id } }, summary);
    row.addEventListener("toggle", () => {
      if (row.open && row.childElementCount === 1) row.append(opened(event));
    });
    return row;
  }
}

function opened(event) {
  const { data, ...head } = event;
  return h("div", { class: "opened" },
    pretty(data),
    h("dl", { class: "facts" },
      Object.entries(head).filter(([, value]) => value !== null).map(([name, value]) => [h("dt", {}, name), h("dd", { class: "mono" }, String(value))]),
      head.reply_to && [h("dt", {}, ""), h("dd", {}, badge("a reply"))]));
}

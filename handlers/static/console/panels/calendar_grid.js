// The grid of a day or a week: hours down, days across, a block for each event; those that come and go do so softly.

import { h, put, say } from "../dom.js";
import { date, hours, span } from "../format.js";
import { blocksOf, dayOf, spell } from "../grid.js";

const HOUR_PX = 44;
const MORNING = 7;

/** The grid; `show` takes the events, `tick` moves the line of now and counts holds down. */
export class CalendarGrid {
  /** @param {Date} first @param {number} length days @param {(event: any) => void} choose */
  constructor(first, length, choose) {
    this.days = Array.from({ length }, (_, number) => dayOf(first, number));
    this.choose = choose;
    this.blocks = new Map();
    this.now = h("div", { class: "now", "aria-hidden": "true" });
    this.columns = this.days.map((day) => h("div", { class: "day", data: { day: spell(day) } }));
    this.allDays = this.days.map(() => h("div", { class: "all-day" }));
    this.body = h("div", { class: "grid-body", tabindex: "0", role: "region", "aria-label": "Hours" },
      h("div", { class: "hours", "aria-hidden": "true" }, Array.from({ length: 24 }, (_, hour) => h("span", {}, `${String(hour).padStart(2, "0")}:00`))),
      this.columns);
    const today = spell(new Date());
    this.node = h("div", { class: "grid", style: { "--days": String(length), "--hour": `${HOUR_PX}px` } },
      h("div", { class: "grid-head" }, h("span", {}), this.days.map((day, number) => h("div", { class: spell(day) === today ? "grid-day today" : "grid-day" }, h("strong", {}, date(day)), this.allDays[number]))),
      this.body);
  }

  /** Show these events; blocks of others leave. @param {any[]} events */
  show(events) {
    const isFirst = !this.isShown;
    this.isShown = true;
    const seen = new Set();
    this.days.forEach((day, number) => {
      for (const block of blocksOf(events, day)) {
        const name = `${block.event.id} ${spell(day)}`;
        seen.add(name);
        this.#place(this.#blockOf(name, this.columns[number], isFirst), block);
      }
      put(this.allDays[number], events.filter((event) => event.all_day && new Date(event.start_time) < dayOf(day, 1) && new Date(event.end_time) > day)
        .map((event) => h("button", { class: "chip", type: "button", on: { click: () => this.choose(event) } }, event.title)));
    });
    for (const [name, node] of this.blocks) if (!seen.has(name)) this.#leave(name, node);
    this.tick();
  }

  /** Move what moves with time. */
  tick() {
    const time = new Date();
    const today = this.columns[this.days.findIndex((day) => spell(day) === spell(time))];
    if (today && this.now.parentNode !== today) today.append(this.now);
    this.now.style.setProperty("top", `${((time.getHours() * 60 + time.getMinutes()) / 60) * HOUR_PX}px`);
    for (const node of this.blocks.values()) {
      const ends = node.event.status === "hold" ? Date.parse(node.event.hold_expires_at) - time.getTime() : null;
      say(node.left, ends === null ? "" : ends > 0 ? `held for ${span(ends)}` : "ending");
    }
  }

  /** Begin with the hours that people are awake. */
  scrollToMorning() {
    const first = Math.min((MORNING - 0.3) * HOUR_PX, ...[...this.blocks.values()].map((node) => node.offsetTop - HOUR_PX));
    this.body.scrollTop = Math.max(0, first);
  }

  #blockOf(name, column, isFirst) {
    let node = this.blocks.get(name);
    if (node) return node;
    const [title, time, left] = [h("strong", {}), h("span", {}), h("span", { class: "left" })];
    node = h("button", { class: isFirst ? "block" : "block enter", type: "button", data: { item: "" }, on: { click: () => this.choose(node.event) } }, title, time, left);
    Object.assign(node, { title_: title, time, left });
    column.append(node);
    this.blocks.set(name, node);
    return node;
  }

  #place(node, { event, top, height, column, columns }) {
    node.event = event;
    node.dataset.status = event.status;
    node.dataset.event = event.id;
    say(node.title_, event.title);
    say(node.time, `${hours(event.start_time)} – ${hours(event.end_time)}${event.status === "hold" ? ` · priority ${event.hold_priority}` : ""}`);
    const style = { top: `${(top / 60) * HOUR_PX}px`, height: `${(height / 60) * HOUR_PX - 2}px`, left: `${(column / columns) * 100}%`, width: `${100 / columns}%` };
    for (const [property, value] of Object.entries(style)) node.style.setProperty(property, value);
  }

  #leave(name, node) {
    this.blocks.delete(name);
    node.disabled = true;
    node.classList.add("leave");
    node.addEventListener("animationend", () => node.remove(), { once: true });
    // Where nothing is animated, nothing ends.
    setTimeout(() => node.remove(), 400);
  }
}

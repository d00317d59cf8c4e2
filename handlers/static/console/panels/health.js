// Health: is the engine there, and how connections, deliveries, lag and times went over the last ten minutes.

import { chart } from "../chart.js";
import { h, put, say } from "../dom.js";
import { total } from "../exposition.js";
import { bytes, count, rate, seconds, short, span } from "../format.js";
import { failure } from "../parts.js";

const MOST = 300;
const two = (half, most) => [{ name: "median", of: (each) => each[half] }, { name: "99 %", of: (each) => each[most] }];
const one = (name, of) => ({ name, of: (each) => each[of] });
const CHARTS = [
  { title: "Connections", lines: [one("open", "connections"), one("readers", "readers")], spell: short },
  { title: "Events", lines: [one("delivered", "deliveries"), one("published", "published")], spell: rate },
  { title: "Lag of the live feed", lines: two("feedHalf", "feedMost"), spell: seconds },
  { title: "Engine's replies", lines: two("engineHalf", "engineMost"), spell: seconds },
  { title: "Lag of the event loop", lines: two("loopHalf", "loopMost"), spell: seconds },
  { title: "Requests", lines: [one("all", "requests"), one("5xx", "failures")], spell: rate },
  { title: "Memory", lines: [one("engine", "memory"), one("processes", "resident")], spell: bytes },
  { title: "CPU, in cores", lines: [one("used", "cpu")], spell: short },
  { title: "Timers and calls out", lines: [one("timers", "timers"), one("webhooks", "webhooks"), one("calls", "calls")], spell: rate },
];

/**
 * Show the panel.
 * @param {HTMLElement} main
 * @param {any} context
 */
export function showHealth(main, { sampler, signal }) {
  const charts = CHARTS.map((each) => chart({ ...each, most: MOST }));
  const tiles = Object.fromEntries(["Engine", "On disk", "Live feed", "Processes", "Up for", "Version"].map((name) => [name, h("dd", {}, "–")]));
  const state = h("div", {});
  put(main, h("div", { class: "head" }, h("h1", {}, "Health"), h("span", { class: "soft" }, "the last ten minutes, as this page saw them")), state,
    h("dl", { class: "tiles" }, Object.entries(tiles).map(([name, value]) => h("div", { class: "tile" }, h("dt", {}, name), value))),
    h("div", { class: "charts" }, charts));
  sampler.watch(signal, () => {
    put(state, sampler.error ? failure(sampler.error) : []);
    if (sampler.last) show(tiles, sampler.last);
    for (const each of charts) each.draw(sampler.samples);
  });
}

function show(tiles, { reading, ms }) {
  const value = (name) => total(reading, `tidemark_${name}`);
  tell(tiles.Engine, value("engine_up") === 1, "answers", "away");
  tell(tiles["On disk"], value("engine_persists") === 1, "written", "not written");
  tell(tiles["Live feed"], value("feed_up") === 1, "connected", "broken");
  const draining = value("draining_processes") ?? 0;
  say(tiles.Processes, `${count(value("processes") ?? 0)}${draining ? `, ${draining} ending` : ""}`);
  say(tiles["Up for"], span(ms - (value("start_time_seconds") ?? ms / 1000) * 1000));
  say(tiles.Version, reading.get("tidemark_build_info")?.[0]?.labels.version ?? "–");
}

function tell(node, isGood, good, bad) {
  say(node, isGood ? good : bad);
  node.className = isGood ? "good" : "bad";
}

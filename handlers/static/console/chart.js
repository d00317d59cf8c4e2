// A plot over time, drawn as SVG: a few lines, a legend with the values of now, and a cursor that reads them off.

import { h, say, svg } from "./dom.js";
import { moment } from "./format.js";

const [WIDTH, HEIGHT, TOP] = [600, 140, 8];
const FEWEST = 30;

/**
 * A plot. Its `draw` takes the samples, oldest first.
 * @param {{title: string, lines: {name: string, of: (sample: any) => number | null}[], spell: (value: number) => string, most: number}} of
 */
export function chart({ title, lines, spell, most }) {
  const paths = lines.map((_, number) => svg("path", { class: `line line-${number}` }));
  const area = svg("path", { class: "area" });
  const pointer = svg("line", { class: "pointer", y1: 0, y2: HEIGHT, visibility: "hidden" });
  const grid = [0.25, 0.5, 0.75].map((part) => svg("line", { class: "grid-line", x1: 0, x2: WIDTH, y1: y(part), y2: y(part) }));
  const numbers = lines.map(() => h("dd", {}, "–"));
  const [top, time] = [h("span", { class: "chart-top" }), h("span", { class: "chart-time" })];
  const plot = h("div", { class: "chart-plot", tabindex: "0", role: "img", "aria-label": title },
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, grid, area, paths, pointer), top, time);
  const node = h("figure", { class: "chart" }, h("figcaption", {}, title),
    h("dl", { class: "legend" }, lines.map(({ name }, number) => h("div", {}, h("dt", { class: `key key-${number}` }, name), numbers[number]))), plot);
  const state = { samples: [], chosen: null, most };
  const read = () => {
    const { samples, chosen } = state;
    const index = chosen === null ? samples.length - 1 : Math.max(0, Math.min(samples.length - 1, chosen));
    const sample = samples[index];
    lines.forEach(({ of }, number) => { const value = sample ? of(sample) : null; say(numbers[number], value === null || value === undefined ? "–" : spell(value)); });
    say(time, chosen === null || !sample ? "" : moment(new Date(sample.ms).toISOString()).slice(0, 8));
    pointer.setAttribute("visibility", chosen === null || !sample ? "hidden" : "visible");
    const at = x(index + state.most - samples.length, state.most);
    pointer.setAttribute("x1", at);
    pointer.setAttribute("x2", at);
  };
  node.draw = (samples) => {
    state.samples = samples.slice(-most);
    // A page that was opened just now shows its minute in full, not a sliver of ten.
    state.most = Math.max(Math.min(FEWEST, most), state.samples.length);
    const peak = Math.max(0, ...state.samples.flatMap((sample) => lines.map(({ of }) => of(sample) ?? 0)));
    const highest = nice(peak);
    say(top, peak > 0 ? spell(highest) : "");
    lines.forEach(({ of }, number) => paths[number].setAttribute("d", path(state.samples.map(of), highest, state.most)));
    const values = state.samples.map(lines[0].of);
    const begin = values.findIndex((value) => value !== null && value !== undefined);
    const edge = paths[0].getAttribute("d");
    area.setAttribute("d", edge && !edge.slice(1).includes("M") ? `${edge}L${WIDTH},${HEIGHT}L${x(begin + state.most - values.length, state.most)},${HEIGHT}Z` : "");
    read();
  };
  const choose = (index) => { state.chosen = index; read(); };
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    choose(Math.round(((event.clientX - box.left) / box.width) * (state.most - 1)) - (state.most - state.samples.length));
  });
  plot.addEventListener("pointerleave", () => choose(null));
  plot.addEventListener("blur", () => choose(null));
  plot.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || !state.samples.length) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(state.samples.length - 1, (state.chosen ?? state.samples.length - 1) + by)));
  });
  return node;
}

/**
 * The next round number that is not below a value: 1, 2 or 5 times a power of ten.
 * @param {number} value
 */
export function nice(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999);
}

function path(values, highest, most) {
  let [text, isOpen] = ["", false];
  values.forEach((value, index) => {
    if (value === null || value === undefined) return (isOpen = false);
    text += `${isOpen ? "L" : "M"}${x(index + most - values.length, most)},${y(value / highest)}`;
    isOpen = true;
  });
  return text;
}

function x(index, most) {
  return ((index / (most - 1)) * WIDTH).toFixed(1);
}

function y(part) {
  return (HEIGHT - 1 - part * (HEIGHT - TOP - 1)).toFixed(1);
}

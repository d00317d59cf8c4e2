// A line in a row of text: the course of a number, without axes.

import { svg } from "./dom.js";

const [WIDTH, HEIGHT] = [120, 24];

/**
 * A small line of at most so many values; its `draw` takes them, oldest first.
 * @param {number} longest
 */
export function spark(longest) {
  const line = svg("path", { class: "spark-line" });
  const area = svg("path", { class: "spark-area" });
  const node = svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, area, line);
  node.draw = (values) => {
    // A part of it at first, so that the course of a few values is seen.
    const most = Math.max(longest / 4, values.length);
    const top = Math.max(...values, 1e-9);
    const points = values.map((value, index) => `${x(index + most - values.length, most)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`);
    line.setAttribute("d", points.length > 1 ? `M${points.join("L")}` : "");
    area.setAttribute("d", points.length > 1 ? `M${x(most - values.length, most)},${HEIGHT}L${points.join("L")}L${WIDTH},${HEIGHT}Z` : "");
  };
  return node;
}

const x = (index, most) => ((index / (most - 1)) * WIDTH).toFixed(1);

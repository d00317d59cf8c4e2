// JSON as people read it: indented and coloured, made of text nodes.

import { h } from "./dom.js";

const PART = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;
const MOST_CHARS = 200_000;

/**
 * A value as indented, coloured JSON.
 * @param {unknown} value
 * @returns {HTMLElement}
 */
export function pretty(value) {
  const text = JSON.stringify(value, null, 2) ?? "null";
  const box = h("pre", { class: "json", tabindex: "0", "aria-label": "JSON" });
  let end = 0;
  for (const part of text.slice(0, MOST_CHARS).matchAll(PART)) {
    const [whole, string, colon, literal] = part;
    const kind = string ? (colon ? "key" : "string") : literal ? "literal" : "number";
    box.append(text.slice(end, part.index), h("span", { class: kind }, string ?? whole), colon ?? "");
    end = part.index + whole.length;
  }
  box.append(text.slice(end, MOST_CHARS), text.length > MOST_CHARS ? "…" : "");
  return box;
}

// The keyboard: digits go to panels, / to the search, j and k through what is listed, ? to this list.

import { h, put } from "./dom.js";

const KEYS = [
  ["1 – 9", "go to a panel"],
  ["/", "go to the search or filter"],
  ["j, k", "the next or the one before in a list"],
  ["Enter", "open what is chosen"],
  ["p", "stop and go on with a log"],
  ["Ctrl Enter", "send the form that is typed in"],
  ["?", "this list"],
];

/** Show the list of keys. */
export function showHelp() {
  const dialog = document.getElementById("help");
  put(dialog,
    h("h2", { id: "help-title" }, "Keyboard"),
    h("dl", {}, KEYS.map(([keys, what]) => [h("dt", {}, keys.split(" ").map((key) => (key === "–" ? "–" : h("kbd", {}, key)))), h("dd", {}, what)])),
    h("form", { method: "dialog" }, h("button", { class: "primary" }, "Close")));
  dialog.showModal();
}

/**
 * Listen to the keyboard.
 * @param {{id: string}[]} panels
 */
export function watchKeys(panels) {
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, dialog");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return event.target.closest("form")?.requestSubmit();
    if (event.key === "Escape" && isTyping) return event.target.blur();
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = ACTS[event.key] ?? (event.key >= "1" && event.key <= "9" ? () => go(panels[Number(event.key) - 1]) : null);
    if (!act) return;
    act();
    event.preventDefault();
  });
}

const ACTS = {
  "?": showHelp,
  "/": () => document.querySelector("main [data-search]")?.focus(),
  j: () => step(1),
  k: () => step(-1),
  p: () => document.querySelector("main [data-pause]")?.click(),
};

function go(panel) {
  if (panel) location.hash = `#/${panel.id}`;
}

function step(by) {
  const items = [...document.querySelectorAll("main [data-item]")];
  const now = items.indexOf(document.activeElement);
  const next = items[now < 0 ? 0 : Math.min(items.length - 1, Math.max(0, now + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

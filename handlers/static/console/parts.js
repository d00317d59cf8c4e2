// What panels are made of: cards, badges, states of emptiness and failure, forms and short notices.

import { h, put } from "./dom.js";

/** A card with a title. @param {string} title @param {...any} children */
export function card(title, ...children) {
  return h("section", { class: "card" }, title && h("h2", {}, title), ...children);
}

/** What there is to say where nothing is to be seen. @param {string} title @param {...any} more */
export function empty(title, ...more) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), ...more);
}

/** A failure, with a way to try again. @param {Error} error @param {(() => void) | null} [again] */
export function failure(error, again = null) {
  return h("div", { class: "failure", role: "alert" },
    h("p", {}, error.message),
    again && h("button", { class: "ghost", type: "button", on: { click: again } }, "Try again"));
}

/** A word with a tone: "good", "warn", "bad", "accent" or none. @param {string} text @param {string} [tone] */
export function badge(text, tone = "") {
  return h("span", { class: `badge ${tone}` }, text);
}

/** A table in a box of its own, which scrolls where the screen is too narrow. @param {string[]} heads @param {any} body @param {string} [name] */
export function table(heads, body, name = "") {
  return h("div", { class: `table ${name}`, tabindex: "0", role: "region", "aria-label": "Table" },
    h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), body));
}

/** A labelled field. @param {string} label @param {any} input @param {string} [hint] */
export function field(label, input, hint = "") {
  input.id ||= `f-${(field.count = (field.count ?? 0) + 1)}`;
  return h("div", { class: "field" }, h("label", { htmlFor: input.id }, label), input, hint && h("p", { class: "hint" }, hint));
}

/**
 * A form whose button waits for what it does; a refusal is told below it, and what was typed stays.
 * @param {{class?: string, action: string, fields: any[], act: () => Promise<any>}} of
 */
export function form({ class: name = "", action, fields, act }) {
  const button = h("button", { class: "primary", type: "submit" }, action);
  const told = h("p", { class: "told", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    put(told);
    try {
      await act();
    } catch (error) {
      put(told, error.message);
    }
    button.disabled = false;
  };
  return h("form", { class: `form ${name}`, on: { submit } }, fields, h("div", { class: "form-end" }, button), told);
}

/**
 * A button that is asked twice before it does what cannot be undone.
 * @param {string} text @param {() => Promise<any>} act
 */
export function sure(text, act) {
  const button = h("button", { class: "ghost danger", type: "button" }, text);
  const calm = () => { button.dataset.armed = ""; button.textContent = text; };
  button.addEventListener("blur", calm);
  button.addEventListener("click", () => {
    if (button.dataset.armed) return calm(), doing(button, act);
    button.dataset.armed = "yes";
    button.textContent = `${text}, really?`;
  });
  return button;
}

/** A button that does something, and says when it fails. @param {string} text @param {() => Promise<any>} act @param {string} [name] */
export function button(text, act, name = "ghost") {
  const made = h("button", { class: name, type: "button" }, text);
  made.addEventListener("click", () => doing(made, act));
  return made;
}

/** A short notice at the edge of the page. @param {string} text @param {string} [tone] */
export function toast(text, tone = "") {
  const node = h("p", { class: `toast ${tone}` }, text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), tone === "bad" ? 8_000 : 4_000);
}

/** A secret that is shown once, with a button that copies it. @param {string} text @param {string} note */
export function secret(text, note) {
  const box = h("input", { class: "mono", readOnly: true, value: text, "aria-label": note });
  const copy = async () => {
    box.select();
    // Where the page is not in a secure context there is no clipboard: it is selected, to be copied by hand.
    await navigator.clipboard?.writeText(text);
    toast(navigator.clipboard ? "Copied" : "Selected: copy it by hand");
  };
  return h("div", { class: "secret" }, h("p", { class: "hint" }, note), h("div", { class: "row" }, box, button("Copy", copy)));
}

async function doing(node, act) {
  node.disabled = true;
  try {
    await act();
  } catch (error) {
    toast(error.message, "bad");
  }
  node.disabled = false;
}

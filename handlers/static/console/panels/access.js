// Access: the channel token and the tenants' keys that this tab has, and what each of them opens.

import { h, put } from "../dom.js";
import { badge, button, card, field, form } from "../parts.js";
import { forget, given, keep } from "../session.js";

/**
 * Show the panel.
 * @param {HTMLElement} main
 * @param {any} context
 */
export function showAccess(main, { access, changed }) {
  const token = secretInput("token", access.problem ? "" : given().token);
  const key = secretInput("key", "");
  const saveToken = async () => { keep({ ...given(), token: token.value.trim() }); await changed(); };
  const addKey = async () => {
    if (!key.value.trim()) throw new Error("Paste a key first.");
    keep({ ...given(), keys: [...new Set([...given().keys, key.value.trim()])] });
    await changed();
  };
  put(main,
    h("h1", {}, "Access"),
    h("p", { class: "lead" }, "What you give here stays in this tab until it is closed. It is sent in headers and in the first message of the socket, never in an address."),
    h("div", { class: "columns" },
      card("Channel token",
        access.problem && h("p", { class: "told", role: "alert" }, access.problem),
        form({ action: "Use this token", act: saveToken, fields: [field("Token", token, "On the server's machine: ./run token --scope admin --expires 8h")] }),
        access.claims && claimsOf(access.claims)),
      card("API keys of tenants",
        access.keys.map((each) => shownKey(each, changed)),
        form({ action: "Add this key", act: addKey, fields: [field("Key", key, "On the server's machine: ./run key --tenant acme --scope live --scope cuey (a calendar key has no other scopes)")] }))),
    h("p", {}, button("Forget everything in this tab", async () => { forget(); await changed(); }, "ghost danger")));
}

function secretInput(name, value) {
  return h("input", { class: "mono", type: "password", name, value, autocomplete: "off", spellcheck: "false", placeholder: name === "key" ? "a key" : "a token" });
}

function claimsOf({ scopes, sub, name, exp }) {
  return h("dl", { class: "facts" },
    h("dt", {}, "Scopes"), h("dd", {}, scopes.length ? scopes.map((scope) => badge(scope, scope === "admin" ? "accent" : "")) : "none"),
    h("dt", {}, "Publishes as"), h("dd", {}, [name, sub].filter(Boolean).join(" · ") || "nobody"),
    h("dt", {}, "Ends"), h("dd", {}, exp ? new Date(exp * 1000).toLocaleString("en-GB") : "never"));
}

function shownKey(key, changed) {
  const remove = async () => {
    keep({ ...given(), keys: given().keys.filter((text) => text !== key.text) });
    await changed();
  };
  return h("div", { class: "line" },
    h("div", {},
      h("strong", {}, key.tenant || `${key.text.slice(0, 8)}…`), " ",
      key.scopes.map((scope) => badge(scope)), key.agent && badge(`agent ${key.agent}`),
      key.problem && h("p", { class: "told", role: "alert" }, key.problem)),
    button("Remove", remove));
}

// Publishing by hand: a type and JSON, sent once however often the answer gets lost.

import { call } from "../api.js";
import { h } from "../dom.js";
import { card, field, form, toast } from "../parts.js";

const RESERVED = /^(lifecycle|live|calendar|cuey|system)-/;

/**
 * A form that publishes to a channel, or nothing where the token may not.
 * @param {any} access
 * @param {string} id
 */
export function publishForm(access, id) {
  if (!access.claims || RESERVED.test(id) || !mayPublish(access.claims.scopes, id)) return null;
  const type = h("input", { placeholder: "order.paid", autocomplete: "off", maxlength: "256", name: "type" });
  const data = h("textarea", { rows: "6", class: "mono", spellcheck: "false", required: true, name: "data", value: '{\n  "hello": "world"\n}' });
  const act = async () => {
    let value;
    try {
      value = JSON.parse(data.value);
    } catch (error) {
      data.focus();
      throw new Error(`This is no JSON: ${error.message}`);
    }
    const { data: told } = await call(access.token, "POST", `/api/v1/channels/${id}/events`, { body: { data: value, ...(type.value && { type: type.value }) } });
    toast(`Published ${told.id ?? ""}`, "good");
  };
  return card("Publish", form({ action: "Publish", act, fields: [field("Type", type), field("Data", data, "Any JSON. Ctrl Enter sends it.")] }));
}

/**
 * Whether scopes allow to publish to a channel, as the server reads them.
 * @param {string[]} scopes
 * @param {string} id
 */
export function mayPublish(scopes, id) {
  return scopes.some((scope) => scope === "admin" || scope === `pub:${id}` || (scope.startsWith("pub:") && scope.endsWith("*") && id.startsWith(scope.slice(4, -1))));
}

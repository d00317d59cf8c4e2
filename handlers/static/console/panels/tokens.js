// Tokens: minting channel tokens; API keys of tenants, made, listed and revoked; the keys whose tokens are trusted.
// A channel token is stored nowhere, so it cannot be listed: it ends by its time, or with the key that signed it.

import { call } from "../api.js";
import { h, put } from "../dom.js";
import { dated } from "../format.js";
import { badge, card, empty, failure, field, form, secret, sure, table, toast } from "../parts.js";

const APIS = ["lifecycle", "live", "calendar", "cuey"];

/**
 * Show the panel.
 * @param {HTMLElement} main
 * @param {any} context
 */
export async function showTokens(main, { access, signal }) {
  const keys = h("div", {});
  const trusted = h("div", {});
  const load = (node, path, draw) => call(access.token, "GET", path, { signal }).then(({ data }) => put(node, draw(data.keys)), (error) => put(node, failure(error)));
  const loadKeys = () => load(keys, "/admin/keys", (rows) => keyTable(rows, async (id) => { await call(access.token, "DELETE", `/admin/keys/${id}`); toast("Revoked"); await loadKeys(); }));
  const loadTrusted = () => load(trusted, "/api/v1/keys", (rows) => trustedTable(rows, async (kid) => { await call(access.token, "DELETE", `/api/v1/keys/${encodeURIComponent(kid)}`); await loadTrusted(); }));
  put(main, h("h1", {}, "Tokens"),
    h("div", { class: "columns" }, mintCard(access), makeCard(access, loadKeys)),
    card("API keys", keys), card("Trusted keys", h("p", { class: "hint" }, "Beside the server's own: tokens that these keys sign are taken, up to a ceiling."), trusted));
  await Promise.all([loadKeys(), loadTrusted()]);
}

function mintCard(access) {
  const scopes = h("input", { name: "scopes", class: "mono", required: true, value: "sub:*", autocomplete: "off", spellcheck: "false" });
  const sub = h("input", { name: "sub", autocomplete: "off" });
  const ends = h("input", { name: "expires", class: "mono", value: "8h", autocomplete: "off" });
  const shown = h("div", {});
  const act = async () => {
    const body = { scopes: scopes.value.split(/[\s,]+/).filter(Boolean), ...(sub.value && { sub: sub.value }), ...(ends.value && { expires_in: ends.value }) };
    const { data } = await call(access.token, "POST", "/api/v1/tokens", { body });
    put(shown, secret(data.token, "The token. It is stored nowhere and not shown again."));
  };
  return card("Mint a channel token", form({ action: "Mint", act, fields: [
    field("Scopes", scopes, "admin, metrics, pub:news, sub:news; a * at the end is any rest"),
    h("div", { class: "pair" }, field("Publishes as", sub), field("Good for", ends, "90s, 5m, 8h, 7d; empty for ever"))] }), shown);
}

function makeCard(access, made) {
  const tenant = h("input", { name: "tenant", required: true, autocomplete: "off", placeholder: "acme" });
  const agent = h("input", { name: "agent", autocomplete: "off" });
  const boxes = APIS.map((api) => h("input", { type: "checkbox", name: "scope", value: api }));
  const shown = h("div", {});
  const act = async () => {
    const scopes = boxes.filter((box) => box.checked).map((box) => box.value);
    if (!scopes.length) throw new Error("Choose at least one scope.");
    const { data } = await call(access.token, "POST", "/admin/keys", { body: { tenant: tenant.value, scopes, ...(agent.value && { agent: agent.value }) } });
    put(shown, secret(data.key, "The key. It is not shown again."));
    await made();
  };
  return card("Make an API key", form({ action: "Make", act, fields: [
    h("div", { class: "pair" }, field("Tenant", tenant), field("Agent", agent, "Only for a calendar key of one agent")),
    h("fieldset", { class: "checks" }, h("legend", {}, "Scopes; a calendar key has no other"), boxes.map((box) => h("label", { class: "check" }, box, box.value)))] }), shown);
}

function keyTable(rows, revoke) {
  if (!rows.length) return empty("No tenant has a key yet.");
  return table(["Key", "Tenant", "Scopes", "Made", ""], h("tbody", {}, rows.map((row) => h("tr", { class: row.revoked_at ? "over" : "" },
    h("td", { class: "mono" }, `${row.prefix}…`), h("td", {}, row.tenant), h("td", {}, row.scopes.map((scope) => badge(scope)), row.agent && badge(`agent ${row.agent}`)),
    h("td", {}, dated(row.created_at)), h("td", { class: "end" }, row.revoked_at ? badge("revoked", "bad") : sure("Revoke", () => revoke(row.id)))))));
}

function trustedTable(rows, revoke) {
  if (!rows.length) return empty("Only this server's own key is trusted.");
  return table(["Key id", "Issuer", "Ceiling", "Since", ""], h("tbody", {}, rows.map((row) => h("tr", {},
    h("td", { class: "mono" }, row.kid), h("td", {}, row.issuer ?? "–"), h("td", {}, (row.max_scopes ?? []).map((scope) => badge(scope))),
    h("td", {}, dated(row.created_at)), h("td", { class: "end" }, sure("Trust no more", () => revoke(row.kid)))))));
}

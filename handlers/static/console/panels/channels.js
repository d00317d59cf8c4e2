// Channels: those that the token opens, with their rates and last events; an address with a channel's id shows its log.

import { call } from "../api.js";
import { h, keyed, put, say } from "../dom.js";
import { ago, count, cut, rate } from "../format.js";
import { badge, button, card, empty, failure, field, form, toast } from "../parts.js";
import { every } from "../repeat.js";
import { spark } from "../spark.js";
import { showChannel } from "./channel.js";

const PAUSE_MS = 2_000;
const SAMPLES = 60;
const PAGE = 100;
const LAST_AT_ONCE = 12;

/**
 * Show the panel, or one channel.
 * @param {HTMLElement} main
 * @param {any} context
 */
export async function showChannels(main, context) {
  if (context.rest[0]) return showChannel(main, context);
  const { access, signal } = context;
  const view = { pages: 1, wanted: "", lists: [], series: new Map(), lasts: new Map(), hasMore: false };
  const body = h("div", { class: "channel-list" });
  const state = h("div", {});
  const more = button("More channels", async () => { view.pages += 1; await look(); });
  const search = h("input", {
    type: "search", placeholder: "Find a channel", "aria-label": "Find a channel", data: { search: "" },
    on: { input: () => { view.wanted = search.value.trim().toLowerCase(); draw(); } },
  });
  const draw = () => {
    const shown = view.lists.filter((each) => `${each.id} ${each.name}`.toLowerCase().includes(view.wanted));
    keyed(body, shown, (each) => each.id, (each) => row(each.id, view));
    more.hidden = !view.hasMore;
    if (shown.length) put(state);
    else if (!state.firstChild) put(state, view.wanted ? empty("No channel of that name.") : nothing(access));
  };
  const tail = h("div", { class: "grow" });
  const look = async () => {
    await load(access, view);
    draw();
    // Only below a list that has its length, so that nothing is pushed down.
    if (!tail.firstChild) put(tail, more, access.isAdmin && newChannel(access));
    await loadLasts(access, view);
    if (!signal.aborted) draw();
  };
  put(main,
    h("div", { class: "head" }, h("h1", {}, "Channels"), search),
    h("div", { class: "card flush" },
      h("div", { class: "channel-row heads", "aria-hidden": "true" }, ["Channel", "Rate", "", "Events", "Last event", ""].map((text) => h("span", {}, text))),
      body, state),
    tail);
  await every(PAUSE_MS, signal, look, (error) => { if (!view.lists.length) put(state, failure(error)); });
}

async function load(access, view) {
  let [found, cursor] = [[], null];
  for (let page = 0; page < view.pages; page += 1) {
    const { data } = await call(access.token, "GET", `/api/v1/channels?limit=${PAGE}${cursor ? `&cursor=${cursor}` : ""}`);
    found = found.concat(data.channels);
    cursor = data.cursor;
    view.hasMore = data.has_more;
    if (!data.has_more) break;
  }
  view.lists = [...(await ofTenants(access)), ...found];
  const nowMs = performance.now();
  for (const { id, event_count: total } of view.lists) {
    const series = view.series.get(id) ?? { last: null, rates: [] };
    if (series.last) series.rates = [...series.rates, Math.max(0, (total - series.last.total) / ((nowMs - series.last.ms) / 1000))].slice(-SAMPLES);
    series.last = { total, ms: nowMs };
    view.series.set(id, series);
  }
}

async function ofTenants({ keys }) {
  const asked = keys.flatMap((key) => key.channels.map((id) => call(key.text, "GET", `/api/v1/channels/${id}`)));
  // A tenant's channel is there from the first thing on that is told in it.
  const found = (await Promise.allSettled(asked)).filter((each) => each.status === "fulfilled").map(({ value }) => value.data);
  return [...new Map(found.map((each) => [each.id, each])).values()];
}

async function loadLasts(access, view) {
  const stale = view.lists.filter((each) => each.last_event_id && view.lasts.get(each.id)?.id !== each.last_event_id);
  await Promise.allSettled(stale.slice(0, LAST_AT_ONCE).map(async ({ id, last_event_id: last }) => {
    view.lasts.set(id, { id: last });
    const owner = access.keys.find((key) => key.channels.includes(id));
    view.lasts.set(id, (await call(owner?.text ?? access.token, "GET", `/api/v1/channels/${id}/events/${last}`)).data);
  }));
}

function row(id, view) {
  const parts = Object.fromEntries(["name", "rate", "total", "type", "data", "when"].map((name) => [name, h("span", { class: name })]));
  const line = spark(SAMPLES);
  const lock = badge("private");
  const node = h("a", { class: "channel-row", href: `#/channels/${encodeURIComponent(id)}`, data: { item: "", channel: id } },
    h("span", { class: "what" }, h("strong", {}, id), lock, parts.name),
    parts.rate, line, parts.total,
    h("span", { class: "last" }, parts.type, parts.data), parts.when);
  node.show = (channel) => {
    const { rates } = view.series.get(id);
    const last = view.lasts.get(id);
    say(parts.name, channel.name === id ? "" : channel.name);
    lock.hidden = channel.is_public;
    say(parts.rate, rate(rates.at(-1) ?? null));
    line.draw(rates);
    say(parts.total, count(channel.event_count));
    say(parts.type, last?.type ?? "");
    say(parts.data, last?.data === undefined ? "" : cut(JSON.stringify(last.data), 120));
    say(parts.when, ago(channel.last_event_at, Date.now()));
  };
  return node;
}

function nothing(access) {
  if (access.isAdmin) return empty("There are no channels yet.", h("p", {}, "Make the first one below, then publish to it."));
  if (access.claims) return empty("This token opens no channel, and none is public.");
  return empty("There are no public channels.",
    h("p", {}, "Private ones open with a token. On the server's machine, ", h("code", {}, "./run token --scope admin"), " prints one."),
    h("p", {}, h("a", { class: "button", href: "#/access" }, "Give a token")));
}

function newChannel(access) {
  const id = h("input", { required: true, placeholder: "orders", pattern: "[a-z0-9][a-z0-9\\-]{1,62}[a-z0-9]", autocomplete: "off" });
  const isPublic = h("input", { type: "checkbox" });
  const act = async () => {
    await call(access.token, "POST", "/api/v1/channels", { body: { id: id.value, name: id.value, is_public: isPublic.checked } });
    toast(`Made ${id.value}`);
    location.hash = `#/channels/${id.value}`;
  };
  return card("New channel", form({ class: "inline", action: "Make it", act, fields: [
    field("Id", id, "3 to 64 of a-z, 0-9 and -"), h("label", { class: "check" }, isPublic, "anybody may read it")] }));
}

// One channel: its log as it happens, scrolled back by cursor and filtered by type, who reads it, and publishing to it.

import { call } from "../api.js";
import { h, put, redraw, say } from "../dom.js";
import { ago, count, rate } from "../format.js";
import { LogView } from "../logview.js";
import { badge, button, card, empty, failure } from "../parts.js";
import { every } from "../repeat.js";
import { publishForm } from "./publish.js";

const PAGE = 50;
const PAUSE_MS = 2_000;

/**
 * Show one channel.
 * @param {HTMLElement} main
 * @param {any} context
 */
export async function showChannel(main, { access, streams, rest: [id], signal }) {
  const path = `/api/v1/channels/${encodeURIComponent(id)}`;
  const credential = access.keys.find((key) => key.channels.includes(id) || (key.tenant && id.startsWith("calendar-") && id.endsWith(`-${key.tenant}`)))?.text ?? access.token;
  const { data: channel } = await call(credential, "GET", path, { signal });
  const types = h("input", { type: "search", placeholder: "All types, or order.paid, order.sent", "aria-label": "Filter by type", data: { search: "" }, autocomplete: "off", spellcheck: "false" });
  const log = new LogView({ pick: (type) => { types.value = type; read(); } });
  const foot = h("div", { class: "log-foot" });
  const pause = h("button", { class: "ghost", type: "button", "aria-pressed": "false", data: { pause: "" } }, "Pause");
  const reader = { log, path, credential, foot, before: null, isBusy: false, wanted: "", stop: () => {}, visit: 0 };
  log.told = ({ isPaused, waiting, skipped }) => {
    say(pause, isPaused ? `Go on (${count(waiting.length + skipped)} new)` : "Pause");
    pause.setAttribute("aria-pressed", String(isPaused));
  };
  log.cut = (last) => { reader.before = last; put(foot, button("Earlier events", () => older(reader))); };
  const read = () => begin(reader, streams, id, types.value);
  pause.addEventListener("click", () => log.pause(!log.isPaused));
  types.addEventListener("change", read);
  types.addEventListener("search", () => { if (types.value.trim() !== reader.wanted) read(); });
  // What is read just now is for nobody any more, so nothing is followed from there.
  signal.addEventListener("abort", () => { reader.visit += 1; reader.before = null; reader.stop(); });
  const facts = factsOf(channel);
  put(main,
    h("div", { class: "head" },
      h("p", { class: "crumb" }, h("a", { href: "#/channels" }, "Channels"), " /"),
      h("h1", {}, id), badge(channel.is_public ? "public" : "private"), channel.name !== id && h("span", { class: "soft" }, channel.name)),
    facts.node,
    h("div", { class: "split" },
      h("section", { class: "card flush grow", "aria-label": "Log" },
        h("div", { class: "tools" }, h("form", { class: "tools-form", on: { submit: (event) => { event.preventDefault(); read(); } } }, types), pause), log.node, foot),
      h("div", { class: "side" },
        publishForm(access, id),
        readersOf(access, credential, path, id, signal),
        channel.config && card("Config", h("p", { class: "hint" }, Object.keys(channel.config).join(", "))))));
  const seen = new IntersectionObserver(([entry]) => { if (entry.isIntersecting && reader.before) older(reader); }, { rootMargin: "300px" });
  seen.observe(foot);
  signal.addEventListener("abort", () => seen.disconnect());
  await read();
  await every(PAUSE_MS, signal, async () => facts.show((await call(credential, "GET", path, { signal })).data), () => {});
}

/** Read the newest page of these types, then follow from its end: what happens between the two is not missed. */
async function begin(reader, streams, id, text) {
  const mine = ++reader.visit;
  reader.stop();
  reader.wanted = text.trim();
  reader.before = null;
  reader.log.clear();
  const types = [...new Set(text.split(",").map((each) => each.trim()).filter(Boolean))];
  const query = types.length ? `&types=${encodeURIComponent(types.join(","))}` : "";
  reader.query = query;
  put(reader.foot, h("p", { class: "soft" }, "Reading…"));
  try {
    const { data: page } = await call(reader.credential, "GET", `${reader.path}/events?limit=${PAGE}${query}`);
    if (mine !== reader.visit) return;
    reader.log.addOlder(page.events);
    reader.before = page.events[0]?.id ?? page.cursor;
    reader.stop = streams.follow(reader.credential, id, { cursor: page.cursor, types }, {
      event: (event) => { reader.log.add(event); reader.foot.querySelector(".empty")?.remove(); },
      level: ({ complete, oldest }) => { if (!complete) reader.log.note(`Events are missing here: the log no longer has them.${oldest ? ` It begins with ${oldest}.` : ""}`); },
      refused: (message) => reader.log.note(`The log is not followed any more: ${message}.`),
    });
    await older(reader);
  } catch (error) {
    if (mine === reader.visit) put(reader.foot, h("p", { class: "told", role: "alert" }, error.message));
  }
}

/** The page before what is shown. */
async function older(reader) {
  if (reader.isBusy) return;
  const mine = reader.visit;
  reader.isBusy = true;
  try {
    const { data: page } = await call(reader.credential, "GET", `${reader.path}/history?limit=${PAGE}&before=${reader.before}${reader.query}`);
    if (mine !== reader.visit) return;
    reader.log.addOlder(page.events);
    reader.before = page.has_more ? page.cursor : null;
    if (page.has_more) put(reader.foot, button("Earlier events", () => older(reader)));
    else if (!reader.log.node.querySelector(".event")) put(reader.foot, empty(reader.wanted ? "No event of this type yet." : "Nothing has happened here yet.", h("p", {}, "What is published shows up here at once.")));
    else put(reader.foot, h("p", { class: "soft" }, page.complete ? "The beginning of the log." : "The log goes back to here: earlier events are no longer kept."));
  } catch (error) {
    if (mine === reader.visit) put(reader.foot, failure(error, () => older(reader)));
  } finally {
    reader.isBusy = false;
    if (mine !== reader.visit && reader.before) older(reader);
  }
}

function factsOf(channel) {
  const parts = Object.fromEntries(["Events", "Rate", "Readers", "Last event"].map((name) => [name, h("dd", {})]));
  let last = null;
  const show = (now) => {
    const ms = performance.now();
    if (last && ms - last.ms < 1_000) return;
    say(parts.Events, count(now.event_count));
    say(parts.Rate, rate(last ? Math.max(0, (now.event_count - last.total) / ((ms - last.ms) / 1000)) : null));
    say(parts.Readers, count(now.subscriber_count));
    say(parts["Last event"], ago(now.last_event_at, Date.now()));
    last = { total: now.event_count, ms };
  };
  show(channel);
  return { node: h("dl", { class: "tiles" }, Object.entries(parts).map(([name, value]) => h("div", { class: "tile" }, h("dt", {}, name), value))), show };
}

function readersOf(access, credential, path, id, signal) {
  if (!credential) return null;
  const list = h("div", {}, h("p", { class: "soft" }, "…"));
  const look = async () => {
    const { data } = await call(credential, "GET", `${path}/presence`, { signal });
    const people = data.readers.map((each) => h("li", {}, h("span", {}, each.name ?? each.subject), h("span", { class: "soft" }, each.connections > 1 ? `${each.connections} connections` : "")));
    redraw(list, data, () => people.length || data.anonymous ? h("ul", { class: "plain" }, people, data.anonymous > 0 && h("li", { class: "soft" }, `${count(data.anonymous)} anonymous`)) : h("p", { class: "soft" }, "Nobody reads it now."));
  };
  every(2_000, signal, look, (error) => put(list, h("p", { class: "soft" }, error.status === 403 ? "Not told to this token." : error.message)));
  return card("Who reads it", list);
}

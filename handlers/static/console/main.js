// The console: what was given is judged, the panels that it opens are shown, and the address says which one.

import { judge } from "./access.js";
import { reach } from "./api.js";
import { h, put, say } from "./dom.js";
import { showHelp, watchKeys } from "./keyboard.js";
import { Sampler } from "./metrics.js";
import { PANELS } from "./panels.js";
import { empty, failure } from "./parts.js";
import { given } from "./session.js";
import { Streams } from "./streams.js";

const at = (id) => document.getElementById(id);
let access = null;
let streams = null;
let sampler = null;
let leave = () => {};
let visit = 0;
let timer = null;
const link = { isThere: true, state: "idle", words: "ready" };
const AGAIN_MS = 3_000;

/** Where the address leads: the panel's name, and what follows it. */
function place() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  return { name, rest: rest.map(decoded) };
}

/** A part of an address, as it stands where it is not well encoded. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function open(anchor) {
  anchor.setAttribute("aria-current", "page");
  anchor.scrollIntoView({ block: "nearest", inline: "center" });
}

async function show() {
  const mine = ++visit;
  const { name, rest } = place();
  const panel = PANELS.find((each) => each.id === name) ?? PANELS[0];
  leave();
  const leaving = new AbortController();
  leave = () => leaving.abort();
  for (const each of at("nav").querySelectorAll("a")) {
    if (each.dataset.panel === panel.id) open(each);
    else each.removeAttribute("aria-current");
  }
  document.title = `${rest[0] ?? panel.title} · Tidemark`;
  const main = h("div", { class: `panel ${panel.id}` });
  put(at("main"), main);
  document.body.dataset.panel = panel.id;
  const lack = panel.lacks(access);
  if (lack) return put(main, h("h1", {}, panel.title), empty(lack, h("p", {}, h("a", { class: "button", href: "#/access" }, "Give a token or a key"))));
  try {
    await panel.show(main, { access, streams, sampler, rest, signal: leaving.signal, changed: start });
  } catch (error) {
    if (mine === visit && !leaving.signal.aborted) put(main, h("h1", {}, panel.title), failure(error, show));
  }
}

function navigation() {
  put(at("nav"), PANELS.map((panel, number) => h("a", {
    href: `#/${panel.id}`, data: { panel: panel.id }, class: panel.lacks(access) ? "shut" : "", title: `${panel.title} (${number + 1})`,
  }, panel.title)));
  const names = [access.claims && (access.claims.name ?? access.claims.sub ?? "a token"), ...access.keys.map((key) => key.tenant)];
  say(at("who"), [...new Set(names.filter(Boolean))].join(" · ") || (access.problem ? "wrong token" : "no token"));
}

/** Judge what was given, now or anew, and show the place of the address. */
async function start() {
  clearTimeout(timer);
  await take(await judge(given()));
}

/** Where the server could not say: ask again, and disturb nobody until it can. */
async function startAgain() {
  const judged = await judge(given());
  if (judged.isUnsure) timer = setTimeout(startAgain, AGAIN_MS);
  else await take(judged);
}

async function take(judged) {
  streams?.close();
  sampler?.stop();
  access = judged;
  streams = new Streams(access, (state, words) => showLink({ state, words }));
  showLink({ state: "idle", words: "ready" });
  sampler = new Sampler(access.token);
  if (access.mayMetrics) sampler.start();
  navigation();
  await show();
  if (judged.isUnsure) timer = setTimeout(startAgain, AGAIN_MS);
}

/** The state of the connection, or that the server is away. */
function showLink(change) {
  Object.assign(link, change);
  at("link").dataset.state = link.isThere ? link.state : "waiting";
  say(at("link"), link.isThere ? link.words : "server away");
}

reach.addEventListener("change", ({ detail }) => {
  if (detail === link.isThere) return;
  showLink({ isThere: detail });
  if (detail) streams?.hurry();
});
window.addEventListener("hashchange", () => { show(); at("main").focus({ preventScroll: true }); scrollTo(0, 0); });
at("keys").addEventListener("click", showHelp);
watchKeys(PANELS);
start();

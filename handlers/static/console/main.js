// The console: what was given is judged, the panels that it opens are shown, and the address says which one.

import { judge } from "./access.js";
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

/** Where the address leads: the panel's name, and what follows it. */
function place() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  return { name, rest: rest.map(decodeURIComponent) };
}

function open(link) {
  link.setAttribute("aria-current", "page");
  link.scrollIntoView({ block: "nearest", inline: "center" });
}

async function show() {
  const mine = ++visit;
  const { name, rest } = place();
  const panel = PANELS.find((each) => each.id === name) ?? PANELS[0];
  leave();
  const leaving = new AbortController();
  leave = () => leaving.abort();
  for (const link of at("nav").querySelectorAll("a")) {
    if (link.dataset.panel === panel.id) open(link);
    else link.removeAttribute("aria-current");
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
  streams?.close();
  sampler?.stop();
  access = await judge(given());
  streams = new Streams(access, (state, words) => { at("link").dataset.state = state; say(at("link"), words); });
  at("link").dataset.state = "idle";
  say(at("link"), "ready");
  sampler = new Sampler(access.token);
  if (access.mayMetrics) sampler.start();
  navigation();
  await show();
}

window.addEventListener("hashchange", () => { show(); at("main").focus({ preventScroll: true }); scrollTo(0, 0); });
at("keys").addEventListener("click", showHelp);
watchKeys(PANELS);
start();

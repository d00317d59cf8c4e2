// The watch page: shows what there is to see, proves that the viewer may see it, and follows what changes.
//
// It polls the cached answer, and is told by the public channel while the server has room for that. What is typed in or
// came in the address is kept in this page only.

import { countdownTo, faceOf, pauseOf, promptOf } from "./faces.js";

const [, kind, slug] = location.pathname.split("/");
const WATCH = `/v1/live-events/watch/${slug}`;
const at = (id) => document.getElementById(id);
const show = (id, text) => { if (at(id).textContent !== text) at(id).textContent = text; };

let seen = null; // what anybody sees
let granted = null; // what this viewer sees who has proved who they are: the answer of a verification
let shownThen = null; // what anybody saw when that was granted, or fitted it last
let secret = null;
let consumed = null;
let owed = null; // a grant whose use may not have been counted yet
let timer = null;
let stream = null;
let heard = ""; // the id of the newest change that was told

function takeTokenOfAddress() {
  const query = new URLSearchParams(location.search);
  const token = query.get("token");
  if (token === null) return;
  query.delete("token");
  history.replaceState(null, "", location.pathname + (query.size ? `?${query}` : ""));
  secret = token;
}

// What a cache keeps may be older than what was told since: ids and cursors are of one order.
const isOld = (answer) => (answer.headers.get("Tidemark-Cursor") ?? "") < heard;

async function post(action, body) {
  const answer = await fetch(`${WATCH}/${action}`, {
    method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  return { ok: answer.ok, status: answer.status, body: await answer.json().catch(() => null) };
}

async function look() {
  clearTimeout(timer);
  let pause = pauseOf(null, Math.random());
  try {
    const answer = await fetch(WATCH, { credentials: "omit" });
    pause = pauseOf(answer.headers.get("Cache-Control"), Math.random());
    if (answer.status === 404) seen = { watch_state: "unknown" };
    else if (answer.ok) {
      const body = await answer.json();
      if (!isOld(answer)) seen = body;
      follow(answer.headers.get("Tidemark-Channel"), answer.headers.get("Tidemark-Cursor"));
    }
    await catchUp();
    if (secret !== null && granted === null && needsProof()) await verify();
    if (owed !== null && owed === granted?.access_grant) await playing();
  } catch {
    seen ??= { watch_state: "unreachable" };
  }
  render();
  timer = setTimeout(look, pause);
}

function follow(channel, cursor) {
  if (stream !== null || !channel) return;
  stream = new EventSource(`/api/v1/channels/${channel}/sse${cursor ? `?cursor=${cursor}` : ""}`);
  stream.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    heard = event.id;
    // What there is to play is asked for again by the next poll.
    told(event.data).catch(() => {});
  };
  stream.addEventListener("close", () => { stream.close(); stream = null; });
  // Refused (there is no room) is final for the browser, and then the page just polls.
}

async function told(change) {
  if (!change?.watch_state) return;
  seen = { ...seen, ...change, live_playback: null, replay_playback: null };
  if (granted !== null && granted.watch_state !== change.granted_watch_state) {
    granted = { ...granted, watch_state: change.granted_watch_state, live_playback: null, replay_playback: null };
  }
  render();
  const state = granted?.watch_state ?? change.watch_state;
  if (state !== "live" && state !== "replay_available") return;
  // What to play is not told to everybody: it is asked for, past what caches keep for others.
  await catchUp();
  if (granted === null) {
    const answer = await fetch(`${WATCH}?v=${change.version}`, { credentials: "omit" });
    if (answer.ok && !isOld(answer)) seen = await answer.json();
  }
  render();
}

// Polls and the channel tell what anybody sees. What plays is shut there, and all else is the same with access.
async function catchUp() {
  if (!needsProof()) granted = null;
  if (granted === null) return;
  const now = stateOf(seen);
  if (seen.watch_state === "access_required") {
    const playback = seen.status === "live" ? granted.live_playback : granted.replay_playback;
    if (!playback) await verify();
  } else if (now !== shownThen) {
    granted = { ...granted, watch_state: seen.watch_state, live_playback: null, replay_playback: null };
  }
  shownThen = now;
}

const stateOf = ({ status, watch_state }) => `${status} ${watch_state}`;
const needsProof = () => seen?.auth_type === "password" || seen?.auth_type === "token";

async function verify() {
  const by = seen.auth_type;
  const answer = await post(`verify-${by}`, { [by]: secret });
  if (answer.ok) {
    granted = answer.body;
    shownThen = stateOf(seen);
    consumed = null;
    show("refusal", "");
    return true;
  }
  granted = null;
  if (answer.status === 403) secret = null;
  show("refusal", answer.status === 429 ? "Too many tries. Wait a while." : answer.status === 403 ? `That ${by} is not right.` : "That did not work. Try again.");
  return false;
}

async function playing() {
  if (granted === null || consumed === granted.access_grant) return;
  const grant = granted.access_grant;
  owed = grant;
  const answer = await post("consume-grant", { access_grant: grant });
  if (answer.ok) consumed = grant;
  if (answer.ok || answer.status === 403) owed = null;
  if (answer.status === 403) {
    at("player").pause();
    granted = secret = null;
    show("refusal", "Your access has ended. Prove it again.");
    render();
  }
}

// What could not be counted is counted with the next poll: the same grant counts once.
const count = () => playing().catch(() => {});

function render() {
  const state = granted?.watch_state ?? seen?.watch_state ?? "unreachable";
  const face = faceOf(state);
  document.body.dataset.state = state;
  document.title = seen?.name ? `${face.isLive ? "● " : ""}${seen.name}` : face.headline;
  show("name", seen?.name ?? "Live event");
  show("description", seen?.description ?? "");
  show("badge", face.badge);
  at("badge").classList.toggle("on", face.isLive);
  show("headline", face.headline);
  show("detail", face.detail);
  tick();
  const isShut = granted === null && needsProof() && !["cancelled", "ended_no_replay", "unknown"].includes(state);
  at("access").hidden = !isShut;
  show("prompt", promptOf(seen?.auth_type));
  at("secret").type = seen?.auth_type === "password" ? "password" : "text";
  at("secret").autocomplete = seen?.auth_type === "password" ? "current-password" : "off";
  if (seen?.auth_type === "tenant_only" && state === "access_required") show("detail", promptOf("tenant_only"));
  renderPlayer((granted ?? seen)?.live_playback ?? (granted ?? seen)?.replay_playback ?? null);
}

function renderPlayer(playback) {
  const [player, elsewhere] = [at("player"), at("elsewhere")];
  const url = playback?.url ?? "";
  // Signed addresses change with every answer; what plays goes on.
  const isSame = url !== "" && player.dataset.of === url.split("?")[0];
  const isHls = url.split("?")[0].endsWith(".m3u8");
  const canPlay = url !== "" && (!isHls || player.canPlayType("application/vnd.apple.mpegurl") !== "");
  player.hidden = !canPlay;
  elsewhere.hidden = url === "" || canPlay;
  if (!canPlay) { player.removeAttribute("src"); delete player.dataset.of; }
  else if (!isSame) { player.src = url; player.dataset.of = url.split("?")[0]; }
  if (!elsewhere.hidden) {
    const link = Object.assign(document.createElement("a"), { href: url, textContent: "Open the stream in a player", rel: "noreferrer" });
    link.addEventListener("click", count);
    elsewhere.replaceChildren("Your browser cannot play this by itself. ", link);
  }
}

function tick() {
  const isAhead = ["not_started", "rehearsal_hidden"].includes(document.body.dataset.state);
  show("countdown", isAhead ? countdownTo(seen?.scheduled_start_at, Date.now()) : "");
}

at("access").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = at("access").querySelector("button");
  secret = at("secret").value;
  button.disabled = true;
  try {
    if (await verify()) at("secret").value = "";
    else at("secret").focus();
  } catch {
    show("refusal", "That did not work. Try again.");
  }
  button.disabled = false;
  render();
});
at("player").addEventListener("play", count);
document.body.classList.toggle("embedded", kind === "embed");
takeTokenOfAddress();
setInterval(tick, 1000);
look();

// The calls of the channels API that have a form of their own: publishing and pages. Pure.
//
// A call is {method, path, query, body, headers, waitS}: the segments of a path below the API, a JSON body as text, and
// for how long the server may hold the answer back by itself (a long poll).

import { Invalid } from "./errors.js";
import { cursorBefore } from "./ids.js";

export const KEY_HEADER = "Idempotency-Key";
const PAGE_EVENTS = 100;
const BATCH_EVENTS = 100;

export function callOf(method, path, { query = {}, body = null, headers = {}, waitS = 0 } = {}) {
  return { method, path, query, body, headers, waitS };
}

export function publishOne(channelId, draft, key) {
  const body = render(wireOf(draft));
  return callOf("POST", ["channels", channelId, "events"], { body, headers: { [KEY_HEADER]: key } });
}

export function publishBatch(channelId, drafts, key) {
  if (drafts.length > BATCH_EVENTS) throw new Invalid(`a batch has at most ${BATCH_EVENTS} events`);
  const body = render({ events: drafts.map(wireOf) });
  return callOf("POST", ["channels", channelId, "events"], { body, headers: { [KEY_HEADER]: key } });
}

// A page, in the one spelling under which a shared cache keeps it: by name, types sorted, nothing empty.
export function pageCall(channelId, { cursor, since, types, limit = PAGE_EVENTS, waitS = 0, etag } = {}) {
  const wanted = {
    cursor,
    limit: limit ? String(limit) : null,
    since,
    type: spellTypes(types),
    wait: waitS ? String(Math.round(waitS)) : null,
  };
  const query = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value));
  const headers = etag ? { "If-None-Match": etag } : {};
  return callOf("GET", ["channels", channelId, "events"], { query, headers, waitS });
}

// What finds the first cursor of a reader, where none is given.
export function firstPage({ channelId, since, newest, types }) {
  if (since != null) return pageCall(channelId, { since, types });
  return pageCall(channelId, { types: newest ? types : null, limit: Math.max(1, newest) });
}

export function spellTypes(types) {
  if (types === undefined || types === null) return null;
  if (!Array.isArray(types) || types.some((name) => typeof name !== "string" || name.includes(",") || !name.trim())) {
    throw new Invalid("types is a list of names without commas");
  }
  return [...new Set(types.map((name) => name.trim()))].sort().join(",") || null;
}

// The gap before a page that was asked for after `asked`, null where it is complete.
export function gapOf(asked, page) {
  if (page.isComplete) return null;
  return { after: asked, resume: page.oldest === null ? page.cursor : cursorBefore(page.oldest) };
}

export function render(value) {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new Invalid(`no JSON: ${error.message}`);
  }
}

function wireOf({ data, type, meta, replyTo }) {
  if (data === undefined || typeof data === "function" || typeof data === "symbol") throw new Invalid("no JSON: data");
  return { data, type: type ?? undefined, meta: meta ?? undefined, reply_to: replyTo ?? undefined };
}

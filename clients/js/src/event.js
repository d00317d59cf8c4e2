// An event and a page of events, read from the JSON of the server; and answers as JSON. Pure.
//
// An answer is {status, headers, body}: headers by their names in lower case, the body as text.

import { Cut, Refused } from "./errors.js";

const NOT_OURS = "The answer is not that of a Tidemark server";

export function eventOf(fields) {
  if (typeof fields !== "object" || fields === null || typeof fields.id !== "string") throw new TypeError("no event");
  return fields;
}

export function parseEvent(text) {
  try {
    return eventOf(JSON.parse(text));
  } catch {
    throw new Cut("The server sent what is no event: is this a Tidemark server?");
  }
}

export function storedEvents(told) {
  try {
    return told.events.map(eventOf);
  } catch {
    throw new Refused(200, NOT_OURS);
  }
}

export function pageOf(body) {
  try {
    if (typeof body.cursor !== "string" || body.has_more === undefined) throw new TypeError("no page");
    return {
      events: body.events.map(eventOf),
      cursor: body.cursor,
      hasMore: Boolean(body.has_more),
      isComplete: body.complete !== false,
      oldest: body.oldest ?? null,
    };
  } catch {
    throw new Refused(200, NOT_OURS);
  }
}

export function parseAnswer(answer) {
  if (answer.status < 200 || answer.status >= 300) throw refusalOf(answer);
  try {
    return answer.body ? JSON.parse(answer.body) : null;
  } catch {
    throw new Refused(answer.status, NOT_OURS);
  }
}

// Whether it is a refusal in the envelope of the channels API, and no word of somebody on the way.
export function isOurs(answer) {
  return typeof envelopeOf(answer.body).error === "string";
}

export function refusalOf(answer) {
  const envelope = envelopeOf(answer.body);
  const words = typeof envelope.error === "string" ? envelope.error : "The server refused";
  const asked = answer.headers["retry-after"] ?? "";
  return new Refused(answer.status, words, /^[0-9]+$/.test(asked) ? Number(asked) : null, envelope);
}

function envelopeOf(body) {
  try {
    const envelope = JSON.parse(body);
    return typeof envelope === "object" && envelope !== null ? envelope : {};
  } catch {
    return {};
  }
}

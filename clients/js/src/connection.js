// A socket or a stream that is opened: when to look after it, and whether anything came on it. Pure.

import { Cut } from "./errors.js";
import { StreamParser } from "./sse.js";

// `isBehind` tells that HTTP has events after `asked` that have not come on it yet.
export function opened(way, sinceS, dueS) {
  return { way, sinceS, dueS, hasSpoken: false, isBehind: false, asked: "", stream: new StreamParser() };
}

// The content of a stream's event `close`; throws Cut for what is none.
export function closeOfStream(text) {
  try {
    const { code, reason, cursor } = JSON.parse(text);
    if (typeof code === "number") return { code, reason: String(reason), cursor: cursor ?? null };
  } catch {
    // Told below.
  }
  throw new Cut("The stream ended without saying how: is this a Tidemark server?");
}

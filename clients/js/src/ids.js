// Ids as cursors: the place just before an event. Pure.
//
// An id has ten letters for the millisecond, nine that are the channel's own, and seven that count within the
// millisecond (docs/decisions/0001). A cursor with the channel's own letters is a place in its log.

import { Invalid } from "./errors.js";

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SPELLING = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export function parseCursor(text) {
  if (typeof text !== "string" || !SPELLING.test(text)) {
    throw new Invalid(`${text} is no cursor: that is the id of an event, 26 letters and digits`);
  }
  return text;
}

export function cursorBefore(id) {
  parseCursor(id);
  const [ms, own, count] = [id.slice(0, 10), id.slice(10, 19), id.slice(19)];
  return /[^0]/.test(count) ? ms + own + lessOne(count) : lessOne(ms) + own + "Z".repeat(count.length);
}

// The number before this one; none is before 0.
function lessOne(digits) {
  const head = digits.replace(/0+$/, "");
  if (!head) return digits;
  const last = DIGITS[DIGITS.indexOf(head.at(-1)) - 1];
  return head.slice(0, -1) + last + "Z".repeat(digits.length - head.length);
}

// Numbers and times as people read them. Pure, but for the zone and language of the browser.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minutes = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
const STEPS = [[1e9, "G"], [1e6, "M"], [1e4, "k"]];
const SPANS = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];

/** A whole number with separators. @param {number} value */
export const count = (value) => whole.format(value);

/** A number in few letters: 1234, 12.3 k, 4.5 M. @param {number} value */
export function short(value) {
  for (const [size, letter] of STEPS) if (Math.abs(value) >= size) return `${trim(value / (letter === "k" ? 1e3 : size))} ${letter}`;
  return trim(value);
}

/** A rate per second. @param {number | null} value */
export const rate = (value) => (value === null ? "–" : `${short(value)}/s`);

/** Bytes in binary units. @param {number} value */
export function bytes(value) {
  let [left, unit] = [value, 0];
  while (left >= 1024 && unit < 4) [left, unit] = [left / 1024, unit + 1];
  return `${trim(left)} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}

/** Seconds in the unit that fits: 340 µs, 1.2 ms, 3 s. @param {number} value */
export function seconds(value) {
  if (value < 1e-3) return `${trim(value * 1e6)} µs`;
  return value < 1 ? `${trim(value * 1e3)} ms` : `${trim(value)} s`;
}

/** A time of day with milliseconds, in the browser's zone. @param {string} time */
export function moment(time) {
  const date = new Date(time);
  return `${clock.format(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Hours and minutes. @param {Date | string} time */
export const hours = (time) => minutes.format(new Date(time));

/** A day such as "Mon, 5 Apr". @param {Date | string} time */
export const date = (time) => day.format(new Date(time));

/** A day and a time to the second, or a dash. @param {string | null} time */
export const dated = (time) => (time ? `${date(time)} ${clock.format(new Date(time))}` : "–");

/** How long ago or ahead something is, such as "12 s" or "3 h". @param {number} ms */
export function span(ms) {
  const left = Math.abs(ms) / 1000;
  for (const [size, unit] of SPANS) if (left >= size) return `${Math.floor(left / size)} ${unit}`;
  return "0 s";
}

/** How long ago a time was, or a dash. @param {string | null} time @param {number} nowMs */
export function ago(time, nowMs) {
  if (!time) return "–";
  const ms = nowMs - Date.parse(time);
  return ms < 1_000 ? "now" : `${span(ms)} ago`;
}

/** The first letters of a text, on one line. @param {string} text @param {number} most */
export function cut(text, most) {
  const line = text.replace(/\s+/g, " ");
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

function trim(value) {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

// Where events lie in a day: which part of it, and beside which others. Pure.

const MINUTE_MS = 60_000;
const LEAST_MIN = 20;

/**
 * @typedef {{event: any, top: number, height: number, column: number, columns: number}} Block minutes of the day, and a
 * column of those that lie beside each other
 */

/** The first moment of a day, as the browser's zone has it. @param {Date} date @param {number} [days] */
export function dayOf(date, days = 0) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);
}

/** The Monday of a day's week. @param {Date} date */
export function mondayOf(date) {
  return dayOf(date, -((date.getDay() + 6) % 7));
}

/** A day as text, such as 2026-11-26. @param {Date} date */
export function spell(date) {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

/** A day of its text, or null. @param {string | undefined} text */
export function parseDay(text) {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text ?? "");
  return parts && new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
}

/**
 * The blocks of the events that touch a day; what overlaps shares the width.
 * @param {any[]} events @param {Date} day
 * @returns {Block[]}
 */
export function blocksOf(events, day) {
  const [from, to] = [dayOf(day), dayOf(day, 1)];
  const inside = events
    .filter((event) => !event.all_day && new Date(event.start_time) < to && new Date(event.end_time) > from)
    .map((event) => ({ event, top: minutesOf(event.start_time, from, 0), end: minutesOf(event.end_time, from, 1440) }))
    .map(({ event, top, end }) => ({ event, top, height: Math.max(LEAST_MIN, end - top) }))
    .sort((a, b) => a.top - b.top || b.height - a.height);
  const groups = [];
  for (const block of inside) {
    const group = groups.at(-1);
    if (group && block.top < group.end) {
      group.blocks.push(block);
      group.end = Math.max(group.end, block.top + block.height);
    } else groups.push({ blocks: [block], end: block.top + block.height });
  }
  return groups.flatMap(({ blocks }) => columns(blocks));
}

function columns(blocks) {
  const ends = [];
  const placed = blocks.map((block) => {
    const free = ends.findIndex((end) => end <= block.top);
    const column = free < 0 ? ends.length : free;
    ends[column] = block.top + block.height;
    return { ...block, column };
  });
  return placed.map((block) => ({ ...block, columns: ends.length }));
}

/** Minutes by the clock on the wall, so that a day of 23 or 25 hours has its events at their hours. */
function minutesOf(time, from, otherwise) {
  const date = new Date(time);
  if (spell(date) !== spell(from)) return otherwise;
  return date.getHours() * 60 + date.getMinutes() + (date.getTime() % MINUTE_MS) / MINUTE_MS;
}

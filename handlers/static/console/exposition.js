// The text format of Prometheus, read: values by name and labels, rates and quantiles between two readings. Pure.

const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/**
 * @typedef {Map<string, {labels: Record<string, string>, value: number}[]>} Reading
 */

/** A reading of an exposition. @param {string} text @returns {Reading} */
export function parse(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    const parts = LINE.exec(line);
    if (!parts) continue;
    const [, name, labels = "", value] = parts;
    if (!found.has(name)) found.set(name, []);
    found.get(name).push({ labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, key, text]) => [key, text])), value: Number(value) });
  }
  return found;
}

/**
 * The sum of a metric over what its labels let through; null where there is none.
 * @param {Reading} reading @param {string} name @param {(labels: Record<string, string>) => boolean} [wanted]
 */
export function total(reading, name, wanted = () => true) {
  const rows = (reading.get(name) ?? []).filter(({ labels }) => wanted(labels));
  return rows.length ? rows.reduce((sum, { value }) => sum + value, 0) : null;
}

/**
 * How fast a counter rose between two readings, per second; after a restart it begins anew.
 * @param {Reading} before @param {Reading} after @param {number} seconds @param {string} name
 * @param {(labels: Record<string, string>) => boolean} [wanted]
 */
export function rising(before, after, seconds, name, wanted) {
  const [old, now] = [total(before, name, wanted) ?? 0, total(after, name, wanted)];
  return now === null ? 0 : Math.max(0, now < old ? now : now - old) / seconds;
}

/**
 * A quantile of what a histogram counted between two readings, in its unit; null where it counted nothing.
 * @param {Reading} before @param {Reading} after @param {string} name @param {number} share from 0 to 1
 */
export function quantile(before, after, name, share) {
  const counts = (reading) => {
    const sums = new Map();
    for (const { labels, value } of reading.get(`${name}_bucket`) ?? []) sums.set(Number(labels.le.replace("+Inf", "Infinity")), (sums.get(Number(labels.le.replace("+Inf", "Infinity"))) ?? 0) + value);
    return sums;
  };
  const [old, now] = [counts(before), counts(after)];
  const rows = [...now].map(([bound, value]) => [bound, Math.max(0, value - (old.get(bound) ?? 0))]).sort((a, b) => a[0] - b[0]);
  const all = rows.at(-1)?.[1] ?? 0;
  if (!all) return null;
  let [low, below] = [0, 0];
  for (const [bound, value] of rows) {
    // Between two bounds nobody knows more than that: a straight line, and the last bound for what lies above all.
    if (value >= share * all) return Number.isFinite(bound) ? low + (bound - low) * ((share * all - below) / Math.max(value - below, 1e-9)) : low;
    [low, below] = [bound, value];
  }
  return low;
}

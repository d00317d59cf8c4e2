// What the user gave: one channel token, and API keys of tenants. Kept for this tab only, and never part of an address.

const PLACE = "tidemark.console";

/**
 * @typedef {{token: string, keys: string[]}} Given
 */

/** What was given in this tab so far. @returns {Given} */
export function given() {
  try {
    const { token, keys } = JSON.parse(sessionStorage.getItem(PLACE) ?? "{}");
    return { token: typeof token === "string" ? token : "", keys: Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : [] };
  } catch {
    return { token: "", keys: [] };
  }
}

/** Keep it for this tab. @param {Given} value */
export function keep(value) {
  sessionStorage.setItem(PLACE, JSON.stringify(value));
}

/** Keep nothing any more. */
export function forget() {
  sessionStorage.removeItem(PLACE);
}

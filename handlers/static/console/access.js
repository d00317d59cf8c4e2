// What the token and the keys open, as the server itself says it.

import { call, Refused } from "./api.js";

/**
 * @typedef {{text: string, tenant: string, scopes: string[], agent: string | null, channels: string[], problem: string}} Key
 * @typedef {{token: string, claims: any, problem: string, isUnsure: boolean, keys: Key[], isAdmin: boolean, mayMetrics: boolean}} Access
 */

const WRONG = "The server does not take this token: it is expired, from another server, or not copied whole.";
const WRONG_KEY = "The server does not take this key: it is revoked, of another server, or not copied whole.";

/**
 * Ask the server what was given is good for. Nothing is thrown: what is wrong stands in `problem`, and `isUnsure` says
 * that the server could not say.
 * @param {import("./session.js").Given} given
 * @returns {Promise<Access>}
 */
export async function judge({ token, keys }) {
  const [own, ...tenants] = await Promise.all([ofToken(token), ...keys.map(ofKey)]);
  const scopes = own.claims?.scopes ?? [];
  const isUnsure = [own, ...tenants].some((each) => each.isUnsure);
  return { token: own.problem ? "" : token, ...own, isUnsure, keys: tenants, isAdmin: scopes.includes("admin"), mayMetrics: scopes.includes("admin") || scopes.includes("metrics") };
}

/**
 * The keys that open an API.
 * @param {Access} access
 * @param {"live" | "calendar" | "cuey" | "lifecycle"} api
 */
export function keysFor(access, api) {
  return access.keys.filter((key) => !key.problem && key.scopes.includes(api));
}

async function ofToken(token) {
  if (!token) return { claims: null, problem: "" };
  try {
    return { claims: (await call(token, "GET", "/api/v1/tokens/claims")).data, problem: "" };
  } catch (error) {
    return { claims: null, ...problemOf(error, WRONG) };
  }
}

async function ofKey(text) {
  try {
    return { text, ...(await call(text, "GET", "/api/v1/tenant")).data, problem: "" };
  } catch (error) {
    const isToken = error instanceof Refused && error.status === 403;
    const problem = isToken ? { problem: "This is a channel token, not a tenant's key." } : problemOf(error, WRONG_KEY);
    return { text, tenant: "", scopes: [], agent: null, channels: [], ...problem };
  }
}

function problemOf(error, wrong) {
  // Where the server did not say, nothing is known of what was given, and it is asked again.
  return error instanceof Refused && error.status === 401 ? { problem: wrong } : { problem: error.message, isUnsure: true };
}

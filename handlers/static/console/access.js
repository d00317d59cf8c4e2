// What the token and the keys open, as the server itself says it.

import { call, Refused } from "./api.js";

/**
 * @typedef {{text: string, tenant: string, scopes: string[], agent: string | null, channels: string[], problem: string}} Key
 * @typedef {{token: string, claims: any, problem: string, keys: Key[], isAdmin: boolean, mayMetrics: boolean}} Access
 */

const WRONG = "The server does not take this token: it is expired, from another server, or not copied whole.";
const WRONG_KEY = "The server does not take this key: it is revoked, of another server, or not copied whole.";

/**
 * Ask the server what was given is good for. Nothing is thrown: what is wrong stands in `problem`.
 * @param {import("./session.js").Given} given
 * @returns {Promise<Access>}
 */
export async function judge({ token, keys }) {
  const [own, ...tenants] = await Promise.all([ofToken(token), ...keys.map(ofKey)]);
  const scopes = own.claims?.scopes ?? [];
  return { token: own.problem ? "" : token, ...own, keys: tenants, isAdmin: scopes.includes("admin"), mayMetrics: scopes.includes("admin") || scopes.includes("metrics") };
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
    return { claims: null, problem: problemOf(error, WRONG) };
  }
}

async function ofKey(text) {
  try {
    return { text, ...(await call(text, "GET", "/api/v1/tenant")).data, problem: "" };
  } catch (error) {
    const isToken = error instanceof Refused && error.status === 403;
    return { text, tenant: "", scopes: [], agent: null, channels: [], problem: isToken ? "This is a channel token, not a tenant's key." : problemOf(error, WRONG_KEY) };
  }
}

function problemOf(error, wrong) {
  return error instanceof Refused && error.status === 401 ? wrong : error.message;
}

// The panels, in the order of the navigation: what each is called, what it lacks where it is shut, and what shows it.

import { keysFor } from "./access.js";
import { showAccess } from "./panels/access.js";
import { showCalendars } from "./panels/calendars.js";
import { showChannels } from "./panels/channels.js";
import { showCuey } from "./panels/cuey.js";
import { showHealth } from "./panels/health.js";
import { showLive } from "./panels/live.js";
import { showTimers } from "./panels/timers.js";
import { showTokens } from "./panels/tokens.js";
import { orgKeys, showWebhooks } from "./panels/webhooks.js";

const key = (api) => (access) => (keysFor(access, api).length ? "" : `This panel needs a tenant's API key with the scope "${api}".`);
const admin = (access) => (access.isAdmin ? "" : "This panel needs a channel token with the scope \"admin\".");

/**
 * @typedef {object} Panel
 * @property {string} id the beginning of its address
 * @property {string} title
 * @property {(access: import("./access.js").Access) => string} lacks what it needs and is not given, "" where it is open
 * @property {(main: HTMLElement, context: any) => void | Promise<void>} show fills `main` until the context's signal
 */

/** @type {Panel[]} */
export const PANELS = [
  { id: "channels", title: "Channels", lacks: () => "", show: showChannels },
  { id: "webhooks", title: "Webhooks", lacks: (access) => (access.claims || orgKeys(access).length ? "" : "This panel needs a channel token, of a webhook's owner or with the scope \"admin\", or an organisation's key with the scope \"calendar\"."), show: showWebhooks },
  { id: "timers", title: "Timers", lacks: admin, show: showTimers },
  { id: "live", title: "Live events", lacks: key("live"), show: showLive },
  { id: "calendars", title: "Calendars", lacks: key("calendar"), show: showCalendars },
  { id: "calls", title: "Calls", lacks: key("cuey"), show: showCuey },
  { id: "health", title: "Health", lacks: (access) => (access.mayMetrics ? "" : "This panel needs a channel token with the scope \"metrics\" or \"admin\"."), show: showHealth },
  { id: "tokens", title: "Tokens", lacks: admin, show: showTokens },
  { id: "access", title: "Access", lacks: () => "", show: showAccess },
];

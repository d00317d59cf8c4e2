// What each watch state looks like. Pure: a state and what is known go in, words come out.

export const POLL_MS = 10_000;

const FACES = {
  not_started: { badge: "Upcoming", headline: "This event has not started yet." },
  rehearsal_hidden: { badge: "Soon", headline: "The team is getting ready.", detail: "It starts here by itself." },
  access_required: { badge: "Restricted", headline: "This event is for invited viewers." },
  live: { badge: "Live", headline: "Live now", isLive: true },
  processing_replay: { badge: "Ended", headline: "This event has ended.", detail: "The replay is being prepared. It appears here by itself." },
  replay_available: { badge: "Replay", headline: "Watch the replay" },
  ended_no_replay: { badge: "Ended", headline: "This event has ended.", detail: "There is no replay." },
  cancelled: { badge: "Cancelled", headline: "This event was cancelled." },
  unknown: { badge: "", headline: "There is no such event.", detail: "Check the link that you were given." },
  unreachable: { badge: "", headline: "The event cannot be reached.", detail: "Trying again…" },
};

const PROMPTS = {
  password: "This event needs a password.",
  token: "This event needs an access token.",
  tenant_only: "This event is for members: open it in your own tools.",
};

export function faceOf(state) {
  return { detail: "", isLive: false, ...(FACES[state] ?? FACES.unreachable) };
}

export function promptOf(kind) {
  return PROMPTS[kind] ?? "";
}

/** How long until a time, such as "2 d 03:04:05"; "" once it has come, or where there is none. */
export function countdownTo(start, nowMs) {
  const left = start ? Math.ceil((Date.parse(start) - nowMs) / 1000) : 0;
  if (!(left > 0)) return "";
  const [days, rest] = [Math.floor(left / 86_400), left % 86_400];
  const clock = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60].map((part) => String(part).padStart(2, "0"));
  return (days ? `${days} d ` : "") + clock.join(":");
}

/** How long a cached answer is good for, in ms, as its header says; a little more by chance, so that pages do not meet. */
export function pauseOf(cacheControl, chance) {
  const seconds = Number(/s-maxage=(\d+)/.exec(cacheControl ?? "")?.[1] ?? POLL_MS / 1000);
  return Math.max(seconds, 2) * 1000 * (1 + chance / 5);
}

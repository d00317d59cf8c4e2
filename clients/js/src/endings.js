// What a close code asks of a reader: come back, go on from another cursor, or stop (docs/close-codes.md). Pure.
//
// A close is {code, reason, cursor}. Coming back is {cursor, says, pace, leastS, isGap}: after this cursor, or where
// the reader stands if null, at this pace ("growing", "spread" or "at once") and not before leastS.

import { ChannelEnded, Cut } from "./errors.js";

const CURSOR = /; cursor=([0-7][0-9A-HJKMNP-TV-Z]{25})$/;
const AT_FAULT = [1002, 1007];
const FIRST_OF_OURS = 4000;
const MINUTE_S = 60;
const SECOND_S = 1;

export function parseClose(code, reason) {
  const found = CURSOR.exec(reason);
  return { code, reason: found ? reason.slice(0, found.index) : reason, cursor: found ? found[1] : null };
}

export function comeBack(says, { cursor = null, pace = "growing", leastS = 0, isGap = false } = {}) {
  return { cursor, says, pace, leastS, isGap };
}

export function afterClose({ code, reason, cursor }, isRenewable) {
  const said = `The server closed the connection (${code} ${reason})`.replace(" )", ")");
  if (code === 1000) throw new ChannelEnded(`The server ended the channel: ${reason}`);
  if (code === 4401 && isRenewable) {
    return comeBack("The token expired; coming back with a new one", { cursor, pace: "at once" });
  }
  if (code === 4410 && cursor !== null) return comeBack(said, { cursor, pace: "at once", isGap: true });
  if (code === 4408) return comeBack(said, { cursor, leastS: SECOND_S });
  if (AT_FAULT.includes(code) || code >= FIRST_OF_OURS) {
    throw new Cut(`The server ended the reading: ${reason || "no reason given"} (${code})`, code);
  }
  if (code === 1008) return comeBack(said, { cursor, leastS: MINUTE_S });
  return comeBack(said, { cursor, pace: code === 1012 ? "spread" : "growing" });
}

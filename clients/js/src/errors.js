// Why a call or a reading ended. Each is a TidemarkError.
//
//   Invalid       what the caller gave cannot be asked for
//   Refused       an answer that says no: its status and the server's words
//   Unreachable   no answer within the patience that was given; whether a write was done is unknown
//   GapFound      events after the reader's cursor are no longer kept; reading goes on behind them if it is asked to
//   ChannelEnded  the channel was deleted, and all of it was read
//   Cut           the server ended the reading, or is no server of ours, and coming back is of no use

export class TidemarkError extends Error {
  get name() {
    return this.constructor.name;
  }
}

export class Invalid extends TidemarkError {}

const PASSING = new Set([429, 500, 502, 503, 504]);

export class Refused extends TidemarkError {
  constructor(status, text, retryAfterS = null, details = {}) {
    super(`${text} (${status})`);
    this.status = status;
    this.text = text;
    this.retryAfterS = retryAfterS;
    this.details = details;
  }

  get isPassing() {
    return PASSING.has(this.status);
  }
}

export class Unreachable extends TidemarkError {
  constructor(text, { isPassing = true, key = null } = {}) {
    super(text);
    this.isPassing = isPassing;
    this.key = key;
  }
}

export class GapFound extends TidemarkError {
  constructor(gap) {
    super(`There is a gap: events after ${gap.after} are no longer kept; the rest begins after ${gap.resume}`);
    this.gap = gap;
  }
}

export class ChannelEnded extends TidemarkError {}

export class Cut extends TidemarkError {
  constructor(text, code = null) {
    super(text);
    this.code = code;
  }
}

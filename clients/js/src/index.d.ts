/** One event of a channel, as the server sent it. `id` is its place: as a cursor it means "after this event". */
export interface Event<Data = unknown> {
  readonly id: string;
  readonly channel_id: string;
  readonly created_at: string;
  readonly type: string | null;
  readonly data: Data;
  readonly publisher_id: string | null;
  readonly publisher_name?: string | null;
  readonly meta?: string | null;
  readonly reply_to?: string | null;
}

/** Events after a cursor, and the `cursor` to go on from. Not `isComplete` where some before them are gone. */
export interface Page<Data = unknown> {
  readonly events: Event<Data>[];
  readonly cursor: string;
  readonly hasMore: boolean;
  readonly isComplete: boolean;
  /** The first id that is still kept, for a page that is not complete; null where nothing is kept. */
  readonly oldest: string | null;
}

/** Events that a reader should have got and nobody has any more: those after `after`, up to `resume`. */
export interface Gap {
  /** The cursor (or the time) that the reader asked with. */
  readonly after: string;
  /** Reading goes on behind this. */
  readonly resume: string;
}

/** An event to be published: any JSON as `data`. */
export interface Draft {
  data: unknown;
  type?: string;
  meta?: unknown;
  replyTo?: string;
}

/** The best first: one that is not to be had falls to the next. */
export type Transport = "ws" | "sse" | "poll";

/** A token, or what gives the one of the moment: tokens expire, clients go on. */
export type Token = string | null | (() => string | null | Promise<string | null>);

/** Spans of time in seconds. */
export interface Timing {
  /** How long an answer may take: 10. */
  answerS: number;
  /** How long the opening of a socket or a stream may take, with a stream's first byte: 10. */
  openS: number;
  /** After so long without a word a socket is asked about over HTTP; a stream may be silent twice as long: 30. */
  silenceS: number;
  /** So long a socket may be behind what HTTP says, before it counts as broken: 5. */
  graceS: number;
  /** The first wait before a reader comes back; the next ones double, each shortened by up to half: 1. */
  firstS: number;
  /** The longest of them: 30. */
  longestS: number;
  /** The first wait before a call is tried again: 0.2. */
  callFirstS: number;
  /** The longest of them: 5. */
  callLongestS: number;
  /** A reader that fell back tries the better way again after so long: 60. */
  steadyS: number;
  /** How long the server holds a long poll: 25. */
  waitS: number;
  /** How often a page is polled that says nothing of it: 2. */
  pollS: number;
}

export interface ClientOptions {
  token?: Token;
  /** For how long calls are tried again while the server is away: 60. */
  patienceS?: number;
  timing?: Partial<Timing>;
  /** Told why something has to be tried again. */
  onTrouble?: ((text: string) => void) | null;
}

export interface Beginning {
  /** Begin after this event. */
  cursor?: string;
  /** Begin with the first event after a time in ISO 8601. */
  since?: string;
  /** Only events of these types. */
  types?: string[];
  /** Told of a gap; without it a gap is thrown as GapFound. */
  onGap?: ((gap: Gap) => void) | null;
}

export interface Following extends Beginning {
  /** Begin with so many of the newest events, at most 100. */
  newest?: number;
  transports?: Transport[];
}

/** A client of one server. Calls are tried again while it is away; each write is done once. */
export class Client {
  /** Throws Invalid for what is no http or https URL. */
  constructor(url: string, options?: ClientOptions);

  /**
   * Append one event and give it back as it is stored, once, however often it had to be sent. `key` is the
   * Idempotency-Key; one is made where none is given. Unreachable and Refused with a 5xx leave open whether it is stored:
   * the same key finds out.
   */
  publish(channelId: string, data: unknown, options?: Omit<Draft, "data"> & { key?: string }): Promise<Event>;

  /** Append up to 100 events, all or none, next to each other; otherwise as `publish`. */
  publishBatch(channelId: string, drafts: Draft[], options?: { key?: string }): Promise<Event[]>;

  /** The events after a cursor or from a time on; without either the newest. `waitS` holds an empty page. */
  page(
    channelId: string,
    options?: { cursor?: string; since?: string; types?: string[]; limit?: number; waitS?: number },
  ): Promise<Page>;

  /** Every event after a cursor or from a time on, up to now. */
  read(channelId: string, options?: Beginning): AsyncGenerator<Event, void, undefined>;

  /** Every event after a cursor, from a time on, with the newest so many, or from now on; and so on for ever. */
  follow(channelId: string, options?: Following): Follower;

  /** Any other call of the API: the JSON of its answer. A write gets an Idempotency-Key. */
  request(
    method: string,
    path: string[],
    options?: { query?: Record<string, string>; json?: unknown; key?: string },
  ): Promise<any>;
}

/**
 * Iterate it. A gap is given to `onGap`; without one it is thrown as GapFound, and iterating again goes on behind it. It
 * waits for a server that is away for as long as that takes. Throws ChannelEnded, Cut, and Refused for what will not pass.
 */
export class Follower implements AsyncIterableIterator<Event> {
  /** What to keep in order to go on after the end of this program. Null before that is known. */
  readonly cursor: string | null;
  /** Settle where it begins: what is published from here on will be given. Else the first `next` settles it. */
  begin(): Promise<this>;
  next(): Promise<IteratorResult<Event, undefined>>;
  return(): Promise<IteratorResult<Event, undefined>>;
  [Symbol.asyncIterator](): this;
  /** Leave the connection; also what `break` in a loop does. */
  close(): void;
}

/** Any reason of this package. */
export class TidemarkError extends Error {}

/** What was given is no URL, cursor or option; nothing was asked. */
export class Invalid extends TidemarkError {}

/** The server said no. */
export class Refused extends TidemarkError {
  readonly status: number;
  /** The server's words. */
  readonly text: string;
  /** Null where none was named. */
  readonly retryAfterS: number | null;
  /** The whole body of the refusal. */
  readonly details: Record<string, unknown>;
  /** Whether the same call may be answered otherwise a little later. */
  readonly isPassing: boolean;
}

/** No answer came; whether a write was done is unknown. */
export class Unreachable extends TidemarkError {
  readonly isPassing: boolean;
  /** The Idempotency-Key of a write: with it the same write can be tried again, and is done once. */
  readonly key: string | null;
}

/** Events are lost to this reader. It can be read on, behind the gap. */
export class GapFound extends TidemarkError {
  readonly gap: Gap;
}

/** The channel's log has ended for good, and all of it was read. */
export class ChannelEnded extends TidemarkError {}

/** The server ended the reading and coming back is of no use. */
export class Cut extends TidemarkError {
  /** That of the close, null without one. */
  readonly code: number | null;
}

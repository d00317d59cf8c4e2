// Server-Sent Events from text as it comes, cut anywhere (WHATWG HTML, section 9.2.6). Pure.
//
// The bytes are decoded before, by a decoder that keeps half a character for the next chunk.

const MAX_EVENT_CHARS = 4 << 20;
const LINE_END = /\r\n|\n|\r/;

export class TooLong extends Error {}

export class StreamParser {
  #held = "";
  #rest = "";
  #fields = new Map();
  #size = 0;

  // The events that this text completes: {kind, id, data}; the id is empty where there is none. Throws TooLong.
  feed(text) {
    const whole = this.#held + text;
    // A CR at the end may be half of a CRLF: it waits for the next text.
    this.#held = whole.endsWith("\r") ? "\r" : "";
    const lines = (this.#held ? whole.slice(0, -1) : whole).split(LINE_END);
    const rest = lines.pop();
    if (lines.length) lines[0] = this.#rest + lines[0];
    this.#rest = lines.length ? rest : this.#rest + rest;
    const told = lines.map((line) => this.#line(line)).filter((each) => each !== null);
    if (this.#rest.length + this.#size > MAX_EVENT_CHARS) throw new TooLong();
    return told;
  }

  #line(line) {
    if (line) {
      this.#size += line.length;
      const colon = line.indexOf(":");
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (name) this.#fields.set(name, [...(this.#fields.get(name) ?? []), value]);
      return null;
    }
    const fields = this.#fields;
    this.#fields = new Map();
    this.#size = 0;
    if (!fields.has("id") && !fields.has("data")) return null;
    const last = (name) => fields.get(name)?.at(-1) ?? "";
    return { kind: last("event"), id: last("id"), data: (fields.get("data") ?? []).join("\n") };
  }
}

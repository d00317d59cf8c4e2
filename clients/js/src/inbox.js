// What came for a reader and what it has taken: every event once, in order, and each gap in its place. Pure.
//
// Two places: `place` is where the next connection begins, behind all that came; `cursor` is where a reader that
// starts anew would begin, behind all that was taken. Ids only rise within a log, which is the proof against
// duplicates; after a fail-over a log may have ended before what was read last, so a gap begins the proof anew.
//
// What is given is {event}, {gap} or {trouble}; a {position} only moves.

import { gapOf } from "./requests.js";

export class Inbox {
  #came = [];
  #last = "";
  #said = "";

  constructor(cursor) {
    this.place = cursor;
    this.cursor = cursor;
  }

  putEvent(event) {
    if (event.id > this.#last) {
      this.#came.push({ event });
      this.#last = this.place = event.id;
    }
  }

  putPage(asked, page) {
    const gap = gapOf(asked, page);
    if (gap !== null) this.putGap(gap.after, gap.resume);
    for (const event of page.events) this.putEvent(event);
    this.move(page.cursor);
  }

  putGap(after, resume) {
    this.#came.push({ gap: { after, resume } });
    this.#last = "";
    this.place = resume;
  }

  // There is nothing for this reader up to this cursor.
  move(cursor) {
    if (cursor !== this.place) {
      this.place = cursor;
      this.#came.push({ position: cursor });
    }
  }

  // Something is wrong; the same text is told once, until something else is.
  tell(text) {
    if (text !== this.#said) this.#came.push({ trouble: text });
    this.#said = text;
  }

  // The next for the reader, null for now; the cursor moves with it.
  take() {
    while (this.#came.length) {
      const given = this.#came.shift();
      if (given.event) this.cursor = given.event.id;
      else if (given.gap) this.cursor = given.gap.resume;
      else if (given.position) {
        this.cursor = given.position;
        continue;
      }
      return given;
    }
    return null;
  }
}

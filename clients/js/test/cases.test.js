// The core is held to the same cases as the client for Python (clients/cases): `$3` in their texts is the id of event 3.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Cut, Invalid, Refused } from "../src/errors.js";
import { Follow } from "../src/following.js";
import { Retrying } from "../src/retrying.js";
import { callOf } from "../src/requests.js";
import { TIMING } from "../src/timing.js";

const START = "01M8AD6V5177ERCVF2V0000000";

const ulid = (number) => START.slice(0, -4) + String(number).padStart(4, "0");

function cases(name) {
  const text = readFileSync(new URL(`../../cases/${name}.json`, import.meta.url), "utf8");
  return JSON.parse(text.replace(/\$(\d+)/g, (_, number) => ulid(Number(number))));
}

// Names of Python's options as those of JavaScript.
function camel(options) {
  const named = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [named(name), value]));
}

const answerOf = (told) => told && { ...told, body: typeof told.body === "string" ? told.body : JSON.stringify(told.body) };
const rounded = (seconds) => Math.round(seconds * 1e6) / 1e6;

function finished(error) {
  return {
    finish: error.name,
    ...(error instanceof Refused ? { status: error.status } : {}),
    ...(error instanceof Cut && error.code ? { code: error.code } : {}),
  };
}

function shown(step) {
  if (step === null) return null;
  if (step.pause !== undefined) return { pause: rounded(step.pause) };
  if (step.finish) return finished(step.finish);
  if (step.open) {
    assert.deepEqual(step.path, ["channels", "news", step.open]);
    return { open: step.open, query: step.query };
  }
  assert.deepEqual([step.ask.method, step.ask.path], ["GET", ["channels", "news", "events"]]);
  const etag = step.ask.headers["If-None-Match"];
  return { ask: { ...step.ask.query, ...(etag ? { etag } : {}) } };
}

function taken(core, most = Infinity) {
  const found = [];
  for (let given; found.length < most && (given = core.take()) !== null; ) {
    if (given.event) found.push(given.event.id);
    else found.push(given.gap ? { gap: [given.gap.after, given.gap.resume] } : { trouble: given.trouble });
  }
  return found;
}

const PLAYS = {
  step: (core, now, chance, expected) => assert.deepEqual(shown(core.nextStep(now, chance)), expected),
  answer: (core, now, told) => core.onAnswer(answerOf(told), now),
  open: (core, now) => core.onOpen(now),
  frame: (core, now, fields) => core.onFrame(JSON.stringify(fields), now),
  chunk: (core, now, text) => core.onChunk(text, now),
  close: (core, now, code, reason) => core.onClose(code, reason, now),
  refusal: (core, now, told) => core.onRefusal(answerOf(told), now),
  failure: (core, now, says, isPassing = true) => core.onFailure(says, now, { isPassing }),
  wake: (core, now, expected) => assert.deepEqual(shown(core.wake(now)), expected),
  probe: (core, now, told) => core.onProbe(answerOf(told), now),
  taken: (core, expected, most) => assert.deepEqual(taken(core, most), expected),
  cursor: (core, expected) => assert.equal(core.cursor, expected),
  is_open: (core, expected) => assert.equal(core.isOpen, expected),
  due: (core, expected) => assert.equal(core.dueS, expected),
};

// Sessions that the Python core went through, as a test of the repository draws them at random.
const more = process.env.TIDEMARK_CASES ? JSON.parse(readFileSync(process.env.TIDEMARK_CASES, "utf8")) : [];

for (const { name, asked, timing, lines } of [...cases("following"), ...more]) {
  test(name, () => {
    const core = new Follow({ channelId: "news", ...camel(asked) }, { ...TIMING, ...camel(timing) });
    for (const [word, ...rest] of lines) PLAYS[word](core, ...rest);
  });
}

for (const { name, patience_s: patienceS, lines } of cases("retrying")) {
  test(name, () => {
    const call = callOf("POST", ["channels", "news", "events"], { body: "{}", headers: { "Idempotency-Key": "k" } });
    const core = new Retrying(call, patienceS, 0, TIMING);
    const plays = {
      step: (now, chance, expected) => {
        const step = core.nextStep(now, chance);
        if (step.ask) assert.deepEqual([step.ask, expected], [call, { ask: true }]);
        else if (step.done) assert.deepEqual({ done: step.done.status }, expected);
        else if (step.finish) assert.deepEqual(finished(step.finish), expected);
        else assert.deepEqual({ pause: rounded(step.pause) }, expected);
      },
      answer: (_, told) => core.onAnswer(answerOf(told)),
      failure: (_, says, isPassing = true) => core.onFailure(says, { isPassing }),
      said: (expected) => assert.equal(core.say(), expected),
    };
    for (const [word, ...rest] of lines) plays[word](...rest);
  });
}

for (const asked of [{ cursor: "x" }, { transports: ["pigeon"] }, { transports: [] }, { types: "a" }]) {
  test(`what cannot be followed is told at once: ${JSON.stringify(asked)}`, () => {
    assert.throws(() => new Follow({ channelId: "news", ...asked }, TIMING), Invalid);
  });
}

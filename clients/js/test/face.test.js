// The client against a real server, which a test of the repository starts: TIDEMARK_URL, a token for everything, and
// TIDEMARK_BAD_URL, the same server behind a network that lets no WebSocket through and holds streams back.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";

import { ChannelEnded, Client, GapFound, Invalid, Refused, Unreachable } from "../src/index.js";

const { TIDEMARK_URL: URL_, TIDEMARK_BAD_URL: BAD_URL, TIDEMARK_TOKEN: token, TIDEMARK_STRANGER: stranger } = process.env;
const QUICK = { firstS: 0.02, longestS: 0.2, callFirstS: 0.02, callLongestS: 0.2 };
const WAYS = ["ws", "sse", "poll"];

const client = new Client(URL_, { token, timing: QUICK });
const made = [];

async function channel(options = {}) {
  const id = `js-${Math.random().toString(36).slice(2, 12)}`;
  await client.request("POST", ["channels"], { json: { id, name: id, ...options } });
  made.push(id);
  return id;
}

async function take(follower, count) {
  const found = [];
  if (count) for await (const { data } of follower) if (found.push(data) === count) break;
  return found;
}

async function next(follower) {
  return (await follower.next()).value.data;
}

after(async () => {
  for (const id of made) await client.request("DELETE", ["channels", id]).catch(() => {});
});

test("what is published is read", async () => {
  const id = await channel();
  const first = await client.publish(id, { a: [1, null] }, { type: "t", meta: { m: 1 }, key: "k" });
  assert.deepEqual(await client.publish(id, { a: [1, null] }, { type: "t", meta: { m: 1 }, key: "k" }), first);
  assert.deepEqual([first.type, first.data, first.meta], ["t", { a: [1, null] }, '{"m":1}']);
  const more = [];
  for (let i = 0; i < 3; i++) more.push(...(await client.publishBatch(id, Array(50).fill({ data: i }))));
  const page = await client.page(id, { cursor: first.id, limit: 10 });
  assert.deepEqual([page.events, page.hasMore, page.isComplete], [more.slice(0, 10), true, true]);
  const read = [];
  for await (const event of client.read(id, { cursor: first.id })) read.push(event);
  assert.deepEqual(read, more);
  await assert.rejects(client.publish(id, "other", { key: "k" }), (error) => error.status === 422);
});

test("a success of another kind of server is refused", async () => {
  const bodies = ["{}", "{}", "{}", '{"events":[],"cursor":"A"}', '{"events":[],"cursor":null,"has_more":false}'];
  const server = createServer((_, answer) => answer.end(bodies.shift())).listen(0, "127.0.0.1");
  await once(server, "listening");
  const other = new Client(`http://127.0.0.1:${server.address().port}`, { timing: QUICK });
  const calls = [() => other.publish("news", 1), () => other.publishBatch("news", [{ data: 1 }]), ...Array(3).fill(() => other.page("news"))];
  for (const call of calls) await assert.rejects(call, Refused);
  server.close();
  server.closeAllConnections();
});

for (const way of WAYS) {
  test(`${way} replays, filters and goes on live`, async () => {
    const id = await channel();
    const start = (await client.page(id)).cursor;
    await client.publishBatch(id, Array.from({ length: 8 }, (_, i) => ({ data: i, type: i % 2 ? "odd" : "even" })));
    const follower = client.follow(id, { cursor: start, types: ["odd"], transports: [way] });
    assert.deepEqual([await next(follower), await next(follower), await next(follower), await next(follower)], [1, 3, 5, 7]);
    await client.publish(id, "live", { type: "odd" });
    assert.deepEqual(await take(follower, 1), ["live"]);
    assert.equal(follower.cursor, (await client.page(id)).cursor);
    assert.deepEqual(await follower.next(), { value: undefined, done: true });
  });

  test(`${way} tells a gap, and goes on behind it`, async () => {
    const id = await channel({ config: { storage: { retention_events: 2 } } });
    const events = await client.publishBatch(id, Array.from({ length: 10 }, (_, data) => ({ data })));
    while ((await client.page(id, { cursor: events[0].id })).isComplete);
    const follower = client.follow(id, { cursor: events[0].id, transports: [way] });
    await assert.rejects(follower.next(), (error) => {
      assert.ok(error instanceof GapFound);
      assert.equal(error.gap.after, events[0].id);
      return error.gap.resume >= events[7].id && error.gap.resume < events[8].id;
    });
    assert.deepEqual(await take(follower, 2), [8, 9]);
    const gaps = [];
    const again = client.follow(id, { cursor: events[0].id, transports: [way], onGap: (gap) => gaps.push(gap) });
    assert.deepEqual([await take(again, 2), gaps.length], [[8, 9], 1]);
  });

  test(`${way} ends with its channel`, async () => {
    const id = await channel();
    await client.publish(id, 1);
    const follower = client.follow(id, { newest: 1, transports: [way] });
    assert.equal(await next(follower), 1);
    await client.publish(id, 2);
    assert.equal(await next(follower), 2);
    await client.request("DELETE", ["channels", id]);
    // A poll learns only that it is not there.
    for (let i = 0; i < 2; i++) await assert.rejects(follower.next(), way === "poll" ? Refused : ChannelEnded);
  });

  test(`${way} is refused to who may not read`, async () => {
    const id = await channel();
    const { cursor } = await client.page(id);
    const other = new Client(URL_, { token: async () => stranger, timing: QUICK });
    await assert.rejects(other.follow(id, { cursor, transports: [way] }).next(), (error) => error.status === 403);
  });
}

test("where no upgrade passes and streams are held back it polls", async () => {
  const id = await channel();
  const said = [];
  const timing = { ...QUICK, openS: 0.3 };
  const bad = new Client(BAD_URL, { token, timing, onTrouble: (text) => said.push(text) });
  await client.publish(id, 0);
  const follower = bad.follow(id, { newest: 1 });
  assert.equal(await next(follower), 0);
  for (const number of [1, 2, 3]) {
    await client.publish(id, number);
    assert.equal(await next(follower), number);
  }
  follower.close();
  assert.ok(said.some((text) => text.includes("opens no WebSocket")));
});

test("what it began with is given at once, also where nothing follows", async () => {
  const id = await channel();
  for (const data of [1, 2, 3]) await client.publish(id, data);
  const patient = new Client(URL_, { token, timing: { ...QUICK, silenceS: 3600 } });
  const follower = await patient.follow(id, { newest: 2 }).begin();
  assert.deepEqual(await take(follower, 2), [2, 3]);
});

test("what is published after it began is given", async () => {
  const id = await channel();
  await client.publish(id, "before");
  const follower = await client.follow(id).begin();
  await client.publish(id, "after");
  assert.deepEqual(await take(follower, 1), ["after"]);
});

test("closing ends one that waits", async () => {
  const id = await channel();
  for (const way of WAYS) {
    const follower = client.follow(id, { transports: [way] });
    const waiting = follower.next();
    setTimeout(() => follower.close(), 100);
    assert.deepEqual(await waiting, { value: undefined, done: true });
  }
});

test("a reader goes on after a token function that failed once", async () => {
  const id = await channel();
  await client.publish(id, 1);
  const tokens = [() => { throw new RangeError("no token today"); }];
  const other = new Client(URL_, { token: async () => tokens.shift()?.() ?? token, timing: QUICK });
  const follower = other.follow(id, { newest: 1 });
  await assert.rejects(follower.next(), RangeError);
  assert.deepEqual(await take(follower, 1), [1]);
});

test("nobody there is unreachable, with the key to try again", async () => {
  const nobody = new Client("http://127.0.0.1:9", { timing: QUICK, patienceS: 0.1 });
  await assert.rejects(nobody.publish("news", 1, { key: "k" }), (error) => {
    assert.ok(error instanceof Unreachable && error.isPassing);
    return error.key === "k";
  });
});

test("what the caller gets wrong is told before anything is asked", async () => {
  for (const url of ["nonsense", "ftp://x", "http://x/?a=b"]) assert.throws(() => new Client(url), Invalid);
  await assert.rejects(client.publish("news", undefined), Invalid);
  await assert.rejects(client.publish("news", 1n), Invalid);
  await assert.rejects(client.publishBatch("news", Array(101).fill({ data: 1 })), Invalid);
  assert.throws(() => client.follow("news", { types: "a" }), Invalid);
});

test("a token function that throws is the caller's own error", async () => {
  const failing = new Client(URL_, { token: () => Promise.reject(new RangeError("no token today")), timing: QUICK });
  await assert.rejects(failing.publish("news", 1), RangeError);
  await assert.rejects(failing.follow("news").next(), RangeError);
});

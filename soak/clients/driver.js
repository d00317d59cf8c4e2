// A driver of the JavaScript client, one process: `node driver.js JSON`. What it is asked and tells: soak/clients/told.py.

import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { Client, TidemarkError } from "../../clients/js/src/index.js";

const LAST = "last";
const TYPES = ["red", "green", undefined];
const BATCHES = [1, 1, 3];
const PAUSE_MS = 30;

// The monotonic clock of the machine, as Python's.
const nowS = () => Number(process.hrtime.bigint()) / 1e9;
const tell = (told) => process.stdout.write(`${JSON.stringify({ ...told, at_s: nowS() })}\n`);
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

const asked = JSON.parse(process.argv[2]);
const timing = Object.fromEntries(Object.entries(asked.timing).map(([name, value]) => [camel(name), value]));
const onTrouble = (text) => tell({ trouble: text });
const client = new Client(asked.url, { token: asked.token, timing, patienceS: 120, onTrouble });

let isOver = false;
createInterface({ input: process.stdin }).on("line", () => (isOver = true));

function draftsOf(number) {
  return Array.from({ length: BATCHES[number % BATCHES.length] }, (_, i) => ({
    data: { name: `${asked.name}-${number}-${i}`, pad: ".".repeat((97 * number) % 1500) },
    type: TYPES[(number + i) % 3],
  }));
}

async function publish() {
  for (let number = 0; !isOver; number++) {
    const drafts = draftsOf(number);
    tell({ began: drafts.map(({ data, type }) => [data.name, type ?? null]) });
    try {
      const events = await client.publishBatch(asked.channel, drafts);
      tell({ acked: events.map(({ id }) => id) });
    } catch (error) {
      failed("a publish", error);
    }
    await sleep(PAUSE_MS);
  }
  tell({ stopped: true });
}

async function read({ name, types, transports }) {
  const onGap = ({ after, resume }) => tell({ gap: [after, resume], reader: name });
  try {
    const follower = client.follow(asked.channel, { cursor: asked.cursor, types, transports, onGap });
    for await (const { id, type, data } of follower) {
      tell({ seen: { id, type, data: { name: data?.name ?? "" } }, reader: name });
      if (type === LAST) break;
    }
    tell({ done: name });
  } catch (error) {
    failed(name, error);
  }
}

function failed(who, error) {
  if (!(error instanceof TidemarkError)) throw error;
  tell({ failed: `${who}: ${error}` });
}

await Promise.all([publish(), ...asked.readers.map(read)]);
process.exit(0);

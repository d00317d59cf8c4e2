// A client of Tidemark: publish with safe retries, read pages, follow channels across everything that breaks.
//
//   const client = new Client("https://events.example.com", { token });
//   await client.publish("orders", { order: 1 });
//   for await (const event of client.follow("orders")) console.log(event.id, event.data);
//
// No dependency; browsers, and Node 22 or later. What to do when is decided by modules that do no I/O (following.js,
// retrying.js), which the client for Python has too, held alike by the cases in clients/cases.

export { Client } from "./client.js";
export { Follower } from "./follower.js";
export { ChannelEnded, Cut, GapFound, Invalid, Refused, TidemarkError, Unreachable } from "./errors.js";

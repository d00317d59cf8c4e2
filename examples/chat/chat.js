// A room: what was said lately, what is said from now on, who is there, and a line to say something.
import { Client } from "./client/index.js";

const PAGE = 30;
const PEOPLE_MS = 3_000;
const byId = (id) => document.getElementById(id);

async function call(path, body) {
  const answer = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

/** A message as an element; what people write is only ever text. */
function message(event, mine) {
  const [item, by] = [document.createElement("li"), document.createElement("span")];
  const at = new Date(event.created_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  by.className = "by";
  by.textContent = `${event.publisher_name ?? event.publisher_id} · ${at}`;
  item.append(by, typeof event.data?.text === "string" ? event.data.text : "");
  item.classList.toggle("own", mine.has(event.publisher_id));
  item.dataset.id = event.id;
  return item;
}

/** The token of the moment: a new one is asked for before the old one ends. */
class Pass {
  constructor(name, room) {
    Object.assign(this, { name, room, mine: new Set(), until: 0, text: "" });
  }

  async renew() {
    const { channel, token } = await call("enter", { name: this.name, room: this.room });
    const claims = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    this.mine.add(claims.sub);
    Object.assign(this, { text: token, until: (claims.exp - 300) * 1000 });
    return channel;
  }

  async token() {
    if (Date.now() > this.until) await this.renew();
    return this.text;
  }
}

class Room {
  constructor(client, channel, mine) {
    Object.assign(this, { client, channel, mine, before: null, list: byId("messages") });
  }

  /** The messages before the oldest that is shown, by the log read backwards. */
  async earlier() {
    const query = { limit: String(PAGE), ...(this.before ? { before: this.before } : {}) };
    const page = await this.client.request("GET", ["channels", this.channel, "history"], { query });
    this.before = page.cursor;
    this.list.prepend(...page.events.map((event) => message(event, this.mine)));
    byId("earlier").hidden = !page.has_more;
    return page.events;
  }

  /** Everything after a cursor, for ever. */
  async follow(cursor) {
    const options = cursor ? { cursor } : { newest: PAGE };
    for await (const event of this.client.follow(this.channel, options)) {
      const isAtEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 60;
      this.list.append(message(event, this.mine));
      if (isAtEnd) this.list.scrollTop = this.list.scrollHeight;
    }
  }

  async people() {
    // That it is answered says that the broker is there: the follower is, or comes back to it.
    const { readers } = await this.client.request("GET", ["channels", this.channel, "presence"]);
    byId("state").textContent = "live";
    byId("people").textContent = readers.map((reader) => reader.name ?? reader.subject).join(", ");
  }
}

function listen(room) {
  byId("earlier").addEventListener("click", () => room.earlier());
  byId("say").addEventListener("submit", async (event) => {
    event.preventDefault();
    const line = byId("text");
    const text = line.value;
    line.value = "";
    byId("unsaid").textContent = "";
    // The client sends it again until it is stored, with an Idempotency-Key: it is said once.
    try {
      await room.client.publish(room.channel, { text }, { type: "message" });
    } catch (error) {
      // What was typed meanwhile stays behind what was refused.
      line.value = text + line.value;
      byId("unsaid").textContent = error.message;
    }
  });
  setInterval(() => room.people().catch(() => {}), PEOPLE_MS);
}

async function enter(name, roomName) {
  const { url } = await (await fetch("config.json")).json();
  const pass = new Pass(name, roomName);
  const channel = await pass.renew();
  const onTrouble = () => (byId("state").textContent = "coming back");
  const client = new Client(url, { token: () => pass.token(), onTrouble });
  byId("door").hidden = true;
  byId("inside").hidden = false;
  byId("title").textContent = `#${roomName}`;
  const room = new Room(client, channel, pass.mine);
  const shown = await room.earlier();
  room.list.scrollTop = room.list.scrollHeight;
  byId("text").focus();
  listen(room);
  room.people().catch(() => {});
  await room.follow(shown.at(-1)?.id);
}

byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  enter(byId("name").value, byId("room").value).catch((error) => (byId("refused").textContent = error.message));
});

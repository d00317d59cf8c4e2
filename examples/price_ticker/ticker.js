// A table of prices that follows a channel: the newest events first, then each as it comes.
import { Client } from "./client/index.js";

const KEPT = 60;
const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
const json = async (path, options) => (await fetch(path, options)).json();

/** A row of the table, and the prices that its line is drawn from. */
class Row {
  constructor(symbol) {
    this.prices = [];
    this.line = document.createElementNS(SVG, "polyline");
    const plot = document.createElementNS(SVG, "svg");
    plot.setAttribute("preserveAspectRatio", "none");
    plot.setAttribute("aria-hidden", "true");
    this.plot = plot;
    plot.append(this.line);
    [this.name, this.price, this.change, this.lately] = [0, 0, 0, 0].map(() => document.createElement("td"));
    this.name.textContent = symbol;
    this.price.className = this.change.className = "number";
    this.lately.append(plot);
    this.element = document.createElement("tr");
    this.element.append(this.name, this.price, this.change, this.lately);
  }

  take(price) {
    const before = this.prices.at(-1) ?? price;
    this.prices = [...this.prices, price].slice(-KEPT);
    this.price.textContent = price.toFixed(2);
    const percent = (100 * (price - before)) / before;
    this.change.textContent = `${percent < 0 ? "" : "+"}${percent.toFixed(2)} %`;
    this.element.className = price > before ? "up" : price < before ? "down" : "";
    const least = Math.min(...this.prices);
    const span = Math.max(...this.prices) - least || 1;
    const points = this.prices.map((each, at) => `${at},${1 - (each - least) / span}`);
    this.plot.setAttribute("viewBox", `0 0 ${Math.max(1, points.length - 1)} 1`);
    this.line.setAttribute("points", points.join(" "));
  }
}

const rows = new Map();
let taken = 0;

function take({ symbol, price }) {
  if (typeof symbol !== "string" || !Number.isFinite(price)) return;
  if (!rows.has(symbol)) {
    rows.set(symbol, new Row(symbol));
    byId("prices").append(rows.get(symbol).element);
  }
  rows.get(symbol).take(price);
  byId("count").textContent = String(++taken);
}

function say(text, isLive) {
  byId("state").textContent = text;
  byId("state").classList.toggle("live", isLive);
}

const [{ url }, { channel }] = await Promise.all([
  json("config.json"),
  json("channel", { method: "POST", body: "null" }),
]);
const client = new Client(url, { onTrouble: () => say("coming back", false) });
const prices = client.follow(channel, { newest: 100, types: ["price"], onGap: () => say("some were missed", false) });
for await (const event of prices) {
  byId("count").dataset.first ??= event.id;
  take(event.data);
  say("live", true);
}

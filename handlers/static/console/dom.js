// Elements made of data. What is data goes in as text nodes and attributes only, so nothing of it can become markup.

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "open", "htmlFor", "selected", "readOnly", "required"]);
const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `attributes` are attributes and properties, and `on` (listeners by event), `data` (dataset) and `style`
 * (custom properties and others, set one by one, which the page's policy allows). What is null or false is left out.
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | number | null | false | undefined | any[])} children
 * @returns {any}
 */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/**
 * An element of SVG, otherwise as `h`.
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...any} children
 * @returns {any}
 */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

/**
 * Put these in the place of what a node holds.
 * @param {Element} node
 * @param {...any} children
 */
export function put(node, ...children) {
  delete node.drawn;
  node.replaceChildren(...children.flat(Infinity).filter(isShown).map(asNode));
}

/**
 * Change a node's text only where it is another: what is unchanged is neither drawn nor read aloud again.
 * @param {Node} node
 * @param {string} text
 */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Put what is made of a value in the place of what a node holds, where the value is another than last time: what stays
 * keeps its focus, and what was begun in it.
 * @param {any} node
 * @param {unknown} value
 * @param {() => any} make
 */
export function redraw(node, value, make) {
  const text = JSON.stringify(value);
  if (node.drawn === text) return;
  put(node, make());
  node.drawn = text;
}

/**
 * Keep one node for each key: in the order of `items`, made where it is new, updated where it is there.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => any} make a node with a function `show` of the item
 */
export function keyed(parent, items, keyOf, make) {
  const known = (parent.known ??= new Map());
  const wanted = new Set(items.map(keyOf));
  for (const [key, node] of known) {
    if (wanted.has(key)) continue;
    node.remove();
    known.delete(key);
  }
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = known.get(key);
    if (!node) known.set(key, (node = make(item)));
    node.show?.(item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "style") for (const [property, text] of Object.entries(value)) node.style.setProperty(property, text);
    else if (PROPERTIES.has(name)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter(isShown).map(asNode));
  return node;
}

const isShown = (child) => child !== null && child !== undefined && child !== false;
const asNode = (child) => (child instanceof Node ? child : String(child));

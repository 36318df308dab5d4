/**
 * Builds nodes. There is no innerHTML anywhere: text stays text, and Trusted Types can be enforced.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Make an element. Keys that start with `on` are listeners, `class` is the class name, a value of
 * `null`, `undefined` or `false` leaves the attribute out, and `true` sets it empty.
 *
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/**
 * Append what is there, and skip what is not.
 *
 * @param {Node & ParentNode} parent
 * @param {(Child | Child[])[]} children
 */
export function append(parent, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * Draw an icon of one path on a 24 by 24 grid. It is decoration: its button carries the name.
 *
 * @param {string} path
 * @returns {SVGElement}
 */
export function icon(path) {
  const drawing = document.createElementNS(SVG, "svg");
  const attributes = {
    viewBox: "0 0 24 24",
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "1.8",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": "true",
    focusable: "false",
    class: "icon",
  };
  for (const [name, value] of Object.entries(attributes)) drawing.setAttribute(name, value);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  drawing.append(line);
  return drawing;
}

/**
 * Return an address that may become a link, or null. Relative ones are taken from `base`.
 *
 * @param {unknown} address
 * @param {string} base
 * @returns {string | null}
 */
export function safeUrl(address, base) {
  if (typeof address !== "string" || address === "") return null;
  try {
    const url = new URL(address, base);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * Make a link that opens beside the conversation, or plain text when the address is not allowed.
 *
 * @param {unknown} address
 * @param {string} base
 * @param {Record<string, any>} attributes
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function link(address, base, attributes, ...children) {
  const href = safeUrl(address, base);
  if (href === null) return h("span", {}, ...children);
  return h("a", { href, target: "_blank", rel: "noopener", ...attributes }, ...children);
}

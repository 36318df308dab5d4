/** Small blocks of facts: an order, a shipment, a product, a return. */
import { h, link } from "./dom.js";

/** @typedef {import("./words.js").Words} Words */

/**
 * Draw a card. What a body lacks is left out.
 *
 * @param {string} kind
 * @param {Record<string, any>} body
 * @param {{ base: string, words: Words }} context
 * @returns {HTMLElement | null} null for a kind this version does not know
 */
export function buildCard(kind, body, context) {
  const build = { order: buildOrder, shipment: buildShipment, product: buildProduct, return: buildReturn }[kind];
  return build ? build(body, context) : null;
}

/** @param {Record<string, any>} body @param {{ base: string, words: Words }} context */
function buildOrder(body, { words }) {
  const rows = (body.rows ?? []).map((/** @type {any} */ row) => [
    row.quantity && Number(row.quantity) !== 1 ? `${row.quantity} × ${row.title}` : row.title,
    row.amount,
  ]);
  return frame(words.order(body.number), body.state, [
    buildSteps(body.steps, words),
    buildFacts([...rows, [words.total, body.total, "facts__total"]]),
    body.as_of && h("p", { class: "card__note" }, words.asOf(body.as_of)),
  ]);
}

/** @param {Record<string, any>} body @param {{ base: string, words: Words }} context */
function buildShipment(body, { base, words }) {
  const number = body.tracking_number
    && link(body.tracking_url, base, {}, body.tracking_number);
  return frame(words.shipment(body.carrier), body.state, [
    body.needs && h("p", { class: "card__alert" }, body.needs),
    buildFacts([[words.expected, body.eta], [words.tracking, number]]),
    buildEvents(body.events ?? []),
  ]);
}

/** @param {Record<string, any>} body @param {{ base: string, words: Words }} context */
function buildProduct(body, { words }) {
  return frame(body.title, null, [
    buildFacts([[words.price, body.price], [words.availability, body.availability], [words.itemNumber, body.sku]]),
  ]);
}

/** @param {Record<string, any>} body @param {{ base: string, words: Words }} context */
function buildReturn(body, { words }) {
  return frame(words.returned(body.number), body.state, [
    buildSteps(body.steps, words),
    buildFacts([[words.refund, body.refund], [words.deadline, body.deadline]]),
  ]);
}

/**
 * @param {string} title
 * @param {string | null | undefined} state
 * @param {any[]} parts
 */
function frame(title, state, parts) {
  return h("article", { class: "card", "aria-label": title },
    h("header", { class: "card__head" },
      h("h3", { class: "card__title" }, title),
      state && h("span", { class: "tag" }, state)),
    parts);
}

/**
 * @param {{ label: string, state: "done" | "current" | "todo" }[] | undefined} steps
 * @param {Words} words
 */
function buildSteps(steps, words) {
  if (!steps?.length) return null;
  const items = steps.map(({ label, state }) =>
    h("li", { class: `steps__step steps__step--${state}`, "aria-current": state === "current" ? "step" : null },
      label, h("span", { class: "hidden" }, ` (${words[state] ?? state})`)),
  );
  return h("ol", { class: "steps" }, items);
}

/** @param {any[][]} rows label, value and maybe a class name */
function buildFacts(rows) {
  const filled = rows.filter(([, value]) => value !== undefined && value !== null && value !== "");
  if (!filled.length) return null;
  return h("dl", { class: "facts" }, filled.map(([label, value, name]) =>
    h("div", { class: `facts__row ${name ?? ""}`.trim() }, h("dt", {}, label), h("dd", {}, value)),
  ));
}

/** @param {{ at: string, text: string, place?: string }[]} events */
function buildEvents(events) {
  if (!events.length) return null;
  return h("ol", { class: "events" }, events.map(({ at, text, place }) =>
    h("li", {}, h("span", { class: "events__what" }, place ? `${text}, ${place}` : text), h("span", { class: "events__when" }, at)),
  ));
}

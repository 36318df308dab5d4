/** Adds what only staff see to an answer: the table behind a chart, a file to keep, how it came. */
import { h } from "../shared/dom.js";
import { buildTable, toCsv } from "../shared/table.js";
import { drawChart } from "./chart.js";

/** @typedef {import("../shared/thread.js").Message} Message */
/** @typedef {import("../shared/table.js").TableData} TableData */

/**
 * Show a table; once a chart comes it is folded behind it.
 *
 * @param {Message} message
 * @param {TableData} table
 */
export function addTable(message, table) {
  const count = `${table.rows.length} ${table.rows.length === 1 ? "row" : "rows"}`;
  const save = h("button", { type: "button", class: "button button--small", onclick: () => download(table) }, "Download CSV");
  const block = h("section", { class: "result", "aria-label": table.caption },
    buildTable(table),
    h("p", { class: "result__foot" }, h("span", {}, count), save));
  message.extras.append(block);
}

/**
 * @param {Message} message
 * @param {{ title: string, summary: string, spec: object }} chart
 */
export function addChart(message, chart) {
  const place = h("div", { class: "chart__drawing" });
  const figure = h("figure", { class: "chart" },
    h("figcaption", { class: "chart__title" }, chart.title),
    place,
    h("p", { class: "chart__summary" }, chart.summary));
  const table = message.extras.querySelector(".result");
  if (table) {
    const fold = h("details", { class: "fold" }, h("summary", {}, "Show as table"));
    table.replaceWith(figure, fold);
    fold.append(table);
  } else {
    message.extras.append(figure);
  }
  drawChart(place, chart).catch(() => {
    place.replaceChildren(h("p", { class: "card__note" }, "The chart could not be drawn. The table below holds the same figures."));
    message.extras.querySelector(".fold")?.setAttribute("open", "");
  });
}

/**
 * Say which steps led to an answer.
 *
 * @param {Message} message
 */
export function addMethod(message) {
  const steps = [...message.activities.values()].map((line) => h("li", {}, line.textContent ?? ""));
  if (!steps.length) return;
  message.extras.append(h("details", { class: "fold" },
    h("summary", {}, "How this was computed"),
    h("ol", { class: "fold__list" }, steps),
    h("p", { class: "card__note" }, `Read from the live records at ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}.`)));
}

/** @param {TableData} table */
function download(table) {
  const name = table.caption.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "table";
  const address = URL.createObjectURL(new Blob(["\ufeff", toCsv(table)], { type: "text/csv;charset=utf-8" }));
  const link = h("a", { href: address, download: `${name}.csv`, class: "hidden" });
  document.body.append(link);
  link.click();
  link.remove();
  URL.revokeObjectURL(address);
}

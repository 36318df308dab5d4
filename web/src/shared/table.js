/** A table of an answer, and the same rows as a file. */
import { h } from "./dom.js";

/** @typedef {{ caption: string, columns: { key: string, label: string, numeric?: boolean }[], rows: (string | number | null)[][] }} TableData */

/**
 * @param {TableData} table
 * @returns {HTMLElement}
 */
export function buildTable({ caption, columns, rows }) {
  const side = (/** @type {number} */ at) => (columns[at]?.numeric ? "table__cell--number" : null);
  const head = columns.map(({ label }, at) => h("th", { scope: "col", class: side(at) }, label));
  const body = rows.map((row) =>
    h("tr", {}, row.map((value, at) => h("td", { class: side(at) }, value === null ? "–" : String(value)))),
  );
  // It can be wider than its place, so it must be reachable by keyboard to be scrolled.
  return h("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": caption },
    h("table", { class: "table" },
      h("caption", {}, caption), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
}

/**
 * Write the rows as CSV (RFC 4180). A text that a spreadsheet would run as a formula gets a quote
 * mark before it.
 *
 * @param {TableData} table
 * @returns {string}
 */
export function toCsv({ columns, rows }) {
  const lines = [columns.map(({ label }) => label), ...rows];
  return lines.map((line) => line.map(toField).join(",")).join("\r\n") + "\r\n";
}

/** @param {string | number | null} value */
function toField(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) && !/^-?[\d.,]+$/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

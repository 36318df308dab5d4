/**
 * A small part of Markdown, as nodes: paragraphs, lists, quotes, tables, bold, code, links and `[n]`
 * source marks. Whatever else is written stays text. Every repetition has a bound, so that hostile text
 * costs no more than its length.
 */
import { h, link } from "./dom.js";

/** @typedef {{ n: number, title: string, heading?: string, url?: string, quote?: string }} Citation */
/** @typedef {{ base: string, citations: Map<number, Citation>, sourceName: (citation: Citation) => string }} Context */

const INLINE = /\*\*(?=\S)([^\n]{1,600}?)\*\*|`([^`\n]{1,300})`|\[(\d{1,3})\](?!\()|\[([^[\]\n]{1,300})\]\(([^()\s]{1,1000})\)/g;
const MARKS = /^(?:\[\d{1,3}\] ?)+$/;
const BULLET = /^( {0,8})[-*•] +(.*)$/;
const ROW = /^\|.{0,2000}\|\s*$/;
const RULE = /^\|[\s:|-]{1,300}\|\s*$/;
const NUMBER = /^( {0,8})(\d{1,3})[.)] +(.*)$/;

/**
 * Turn a text into block nodes.
 *
 * @param {string} text
 * @param {Context} context
 * @returns {HTMLElement[]}
 */
export function renderMarkdown(text, context) {
  const lines = text.replace(/\r\n?/g, "\n").trim().split("\n");
  /** @type {HTMLElement[]} */
  const blocks = [];
  for (let at = 0; at < lines.length; ) {
    const kind = kindOf(lines[at]);
    let end = at + 1;
    while (end < lines.length && belongs(kind, lines, end)) end += 1;
    if (kind !== "blank") addBlock(blocks, kind, lines.slice(at, end), context);
    at = end;
  }
  return blocks;
}

/**
 * Add a block. Source marks on a line of their own belong to the end of what stands before.
 *
 * @param {HTMLElement[]} blocks
 * @param {string} kind
 * @param {string[]} lines
 * @param {Context} context
 */
function addBlock(blocks, kind, lines, context) {
  const last = blocks.at(-1);
  if (last && kind === "p" && MARKS.test(lines.join(" "))) {
    (last.querySelector(":scope > :last-child:is(li, p)") ?? last).append(...inline(lines.join(" "), context));
  } else {
    blocks.push(buildBlock(kind, lines, context));
  }
}

/** @param {string} line */
function kindOf(line) {
  if (line.trim() === "") return "blank";
  if (NUMBER.test(line)) return "ol";
  if (BULLET.test(line)) return "ul";
  if (ROW.test(line)) return "table";
  return line.startsWith("> ") || line === ">" ? "quote" : "p";
}

/**
 * @param {string} kind
 * @param {string[]} lines
 * @param {number} at
 */
function belongs(kind, lines, at) {
  const next = kindOf(lines[at]);
  if (kind !== "ol" && kind !== "ul") return next === kind;
  if (next === kind || /^ {2,}\S/.test(lines[at])) return true;
  // A blank line between two items does not end the list.
  return next === "blank" && at + 1 < lines.length && kindOf(lines[at + 1]) === kind;
}

/**
 * @param {string} kind
 * @param {string[]} lines
 * @param {Context} context
 */
function buildBlock(kind, lines, context) {
  if (kind === "ol" || kind === "ul") return buildList(kind, lines, context);
  if (kind === "quote") {
    const inner = lines.map((line) => line.replace(/^> ?/, "")).join("\n");
    return h("blockquote", {}, ...renderMarkdown(inner, context));
  }
  if (kind === "table" && lines.length > 1 && RULE.test(lines[1])) return buildTable(lines, context);
  return h("p", {}, ...withBreaks(lines, context));
}

/**
 * @param {string[]} lines  a header row, a rule, and rows
 * @param {Context} context
 */
function buildTable(lines, context) {
  const [header, , ...rows] = lines;
  const head = h("tr", {}, ...cells(header).map((cell) => h("th", { scope: "col" }, ...inline(cell, context))));
  const body = rows.map((row) => h("tr", {}, ...cells(row).map((cell) => h("td", {}, ...inline(cell, context)))));
  const table = h("table", { class: "table" }, h("thead", {}, head), h("tbody", {}, ...body));
  // It can be wider than its place, so it must be reachable by keyboard to be scrolled.
  return h("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": cells(header).join(", ") }, table);
}

/** @param {string} row */
function cells(row) {
  return row.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
}

/**
 * @param {string} kind
 * @param {string[]} lines
 * @param {Context} context
 */
function buildList(kind, lines, context) {
  const pattern = kind === "ol" ? NUMBER : BULLET;
  /** @type {{ first: string, rest: string[] }[]} */
  const items = [];
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match && match[1].length < 2) items.push({ first: match[match.length - 1], rest: [] });
    else if (line.trim() && items.length) items[items.length - 1].rest.push(line.replace(/^ {2,3}/, ""));
    else if (match) items.push({ first: match[match.length - 1], rest: [] });
  }
  const start = kind === "ol" ? Number(NUMBER.exec(lines[0])?.[2] ?? 1) : 1;
  const children = items.map(({ first, rest }) =>
    h("li", {}, ...inline(first, context), ...(rest.length ? renderMarkdown(rest.join("\n"), context) : [])),
  );
  return h(kind, { start: start === 1 ? null : start }, ...children);
}

/**
 * @param {string[]} lines
 * @param {Context} context
 */
function withBreaks(lines, context) {
  return lines.flatMap((line, at) => (at ? [h("br"), ...inline(line, context)] : inline(line, context)));
}

/**
 * @param {string} text
 * @param {Context} context
 * @returns {(Node | string)[]}
 */
function inline(text, context) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    const before = text.slice(end, match.index);
    const part = buildInline(match, context);
    // A source mark sits at the word it belongs to.
    parts.push(part instanceof HTMLElement && part.className === "cite" ? before.trimEnd() : before, part);
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

/**
 * @param {RegExpMatchArray} match
 * @param {Context} context
 */
function buildInline([whole, bold, code, mark, label, address], context) {
  if (bold !== undefined) return h("strong", {}, ...inline(bold, context));
  if (code !== undefined) return h("code", {}, code);
  if (mark !== undefined) {
    const citation = context.citations.get(Number(mark));
    return citation ? buildMark(citation, context) : whole;
  }
  return link(address, context.base, {}, label);
}

/**
 * @param {Citation} citation
 * @param {Context} context
 */
function buildMark(citation, context) {
  const name = context.sourceName(citation);
  return h("sup", { class: "cite" }, link(citation.url, context.base, { "aria-label": name }, String(citation.n)));
}

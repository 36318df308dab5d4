/** The closed list of sources under an answer. */
import { h, link } from "./dom.js";

/**
 * @param {Map<number, import("./markdown.js").Citation>} citations
 * @param {string} base
 * @param {import("./words.js").Words} words
 * @returns {HTMLElement}
 */
export function buildSources(citations, base, words) {
  const sorted = [...citations.values()].sort((a, b) => a.n - b.n);
  const items = sorted.map((citation) =>
    h("li", { value: citation.n },
      link(citation.url, base, {}, citation.heading ? `${citation.title}: ${citation.heading}` : citation.title),
      citation.quote && h("q", { class: "sources__quote" }, citation.quote)),
  );
  return h("details", { class: "sources" },
    h("summary", {}, words.sources(sorted.length)),
    h("ol", { class: "sources__list" }, items));
}

/**
 * Draws a chart from a Vega-Lite specification. Expressions are interpreted, not compiled, so that no
 * `unsafe-eval` is needed; nothing is loaded from anywhere.
 */
import { parse, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { compile } from "vega-lite";

/** What is wrong with a chart is thrown; advice about its layout is nothing for the console. */
const SILENT = { level: () => SILENT, error: () => SILENT, warn: () => SILENT, info: () => SILENT, debug: () => SILENT };

/**
 * @param {HTMLElement} place
 * @param {any} spec values are inline
 * @param {{ name: string, text: string, line: string, marks: string[] }} look
 */
export async function draw(place, spec, look) {
  const config = configOf(look, angleFor(spec, place.clientWidth));
  const sized = { ...spec, autosize: { type: "fit-x", contains: "padding" }, width: place.clientWidth };
  const { spec: plan } = compile(sized, { config, logger: SILENT });
  const view = new View(parse(plan, undefined, { ast: true }), {
    expr: expressionInterpreter,
    loader: { load: refuse, sanitize: refuse, http: refuse, file: refuse },
    renderer: "svg",
    container: place,
    hover: true,
    tooltip: showTooltip(place),
    logLevel: 0,
  });
  await view.runAsync();
  const drawing = place.querySelector("svg");
  drawing?.setAttribute("role", "img");
  drawing?.setAttribute("aria-label", look.name);
}

/** @returns {Promise<never>} */
async function refuse() {
  throw new Error("A chart may not load anything.");
}

/**
 * Lean the labels under a chart only when they would not fit side by side.
 *
 * @param {any} spec
 * @param {number} width pixels
 */
function angleFor(spec, width) {
  if (spec.encoding?.x?.type !== "nominal") return 0;
  const labels = new Set((spec.data?.values ?? []).map((/** @type {any} */ value) => String(value.x)));
  const longest = Math.max(0, ...[...labels].map((label) => label.length));
  return (width - 60) / Math.max(1, labels.size) > longest * 7 + 8 ? 0 : -40;
}

/**
 * @param {{ text: string, line: string, marks: string[] }} look
 * @param {number} labelAngle degrees, of the labels under the chart
 */
function configOf({ text, line, marks }, labelAngle) {
  const labels = { labelColor: text, titleColor: text, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 600 };
  return {
    background: "transparent",
    font: getComputedStyle(document.body).fontFamily,
    view: { stroke: null },
    axis: { ...labels, gridColor: line, domainColor: line, tickColor: line, labelLimit: 200 },
    axisQuantitative: { tickCount: 6 },
    axisX: { labelAngle },
    scale: { bandPaddingInner: 0.35, bandPaddingOuter: 0.2 },
    legend: { ...labels, orient: "top", title: null },
    range: { category: marks },
    mark: { color: marks[0] },
    bar: { cornerRadiusEnd: 3 },
    line: { strokeWidth: 2.5, point: { filled: true, size: 40 } },
  };
}

/**
 * Show the values under the pointer as text.
 *
 * @param {HTMLElement} place
 */
function showTooltip(place) {
  const box = document.createElement("div");
  box.className = "chart__tip";
  box.hidden = true;
  return (/** @type {any} */ _handler, /** @type {MouseEvent} */ event, /** @type {any} */ _item, /** @type {any} */ value) => {
    if (!box.isConnected) place.append(box);
    box.hidden = value === null || value === undefined || value === "";
    if (box.hidden) return;
    const pairs = typeof value === "object" ? Object.entries(value) : [["", value]];
    box.textContent = pairs.map(([key, shown]) => (key ? `${key}: ${shown}` : String(shown))).join("\n");
    const frame = place.getBoundingClientRect();
    box.style.left = `${Math.min(event.clientX - frame.left + 12, frame.width - box.offsetWidth)}px`;
    box.style.top = `${event.clientY - frame.top + 12}px`;
  };
}

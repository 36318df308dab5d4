/** Loads the drawing library on the first chart, and draws again when light turns to dark. */

/** @type {Promise<any> | undefined} */
let library;

/**
 * @param {HTMLElement} place
 * @param {{ title: string, summary: string, spec: object }} chart
 */
export async function drawChart(place, chart) {
  const address = document.documentElement.dataset.charts ?? "/static/charts.js";
  library ??= import(address);
  const { draw } = await library;
  const paint = () => draw(place, chart.spec, { name: chart.summary, ...coloursOf(place) });
  await paint();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
}

/**
 * The page's own colours, as plain values: a drawing knows no custom properties.
 *
 * @param {HTMLElement} place
 */
function coloursOf(place) {
  const probe = document.createElement("span");
  place.append(probe);
  const read = (/** @type {string} */ name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = { text: read("--muted"), line: read("--line"), marks: ["--accent", "--series-2", "--series-3", "--series-4"].map(read) };
  probe.remove();
  return colours;
}

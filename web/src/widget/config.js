/** What the shop set on the script tag or on the element. */

/**
 * @typedef {object} Config
 * @property {string} base address of the server
 * @property {string} site keeps the storage of several widgets on one page apart
 * @property {string} language
 * @property {string} direction `ltr` or `rtl`
 * @property {string} theme `auto`, `light` or `dark`
 * @property {string} accent hex colour, or empty
 * @property {string} position `end` or `start`
 * @property {string} title
 * @property {string} subtitle
 * @property {string} greeting
 * @property {string[]} starters
 */

/**
 * @param {DOMStringMap} settings the `data-*` attributes
 * @param {string} base
 * @param {import("../shared/words.js").Words} words
 * @returns {Config}
 */
export function readConfig(settings, base, words) {
  const page = document.documentElement;
  return {
    base,
    site: settings.site || "default",
    language: languageOf(settings),
    direction: settings.dir || page.dir || "ltr",
    theme: settings.theme || "auto",
    accent: settings.accent || "",
    position: settings.position === "start" ? "start" : "end",
    title: settings.title || words.title,
    subtitle: settings.subtitle || words.subtitle,
    greeting: settings.greeting || words.greeting,
    starters: settings.starters ? settings.starters.split("|").map((text) => text.trim()) : words.starters,
  };
}

/**
 * @param {DOMStringMap} settings
 * @returns {string}
 */
export function languageOf(settings) {
  const asked = settings.lang;
  return asked && asked !== "auto" ? asked : document.documentElement.lang || "en";
}

/** The frame of the chat: launcher, head, banner, log, suggestions, composer. */
import { h, icon } from "../shared/dom.js";
import { CHAT, CLOSE, DOWN, RENEW } from "../shared/icons.js";

/**
 * @typedef {object} Parts
 * @property {HTMLElement} root
 * @property {HTMLElement} launcher
 * @property {HTMLElement} badge
 * @property {HTMLElement} panel
 * @property {HTMLElement} banner
 * @property {HTMLElement} log
 * @property {HTMLElement} jump
 * @property {HTMLElement} chips
 */

/**
 * @param {object} options
 * @param {import("./config.js").Config} options.config
 * @param {import("../shared/words.js").Words} options.words
 * @param {HTMLElement} options.composer
 * @param {HTMLElement} options.status
 * @param {() => void} options.onToggle
 * @param {() => void} options.onRenew
 * @param {() => void} options.onJump
 * @returns {Parts}
 */
export function buildPanel({ config, words, composer, status, onToggle, onRenew, onJump }) {
  const badge = h("span", { class: "launcher__badge", hidden: true, "aria-hidden": "true" });
  const launcher = h("button", {
    type: "button", class: "launcher", "aria-label": words.open, "aria-expanded": "false", "aria-controls": "panel", onclick: onToggle,
  }, icon(CHAT), icon(CLOSE), badge);
  const banner = h("p", { class: "banner", hidden: true });
  const log = h("div", { class: "log", role: "log", "aria-live": "off", "aria-label": words.log, tabindex: "0" });
  const jump = h("button", { type: "button", class: "jump", hidden: true, onclick: onJump }, icon(DOWN), words.jump);
  const chips = h("div", { class: "chips", role: "group", "aria-label": words.suggestions, hidden: true });
  const panel = h("section", {
    class: "panel", id: "panel", role: "dialog", "aria-modal": "false", "aria-labelledby": "panel-title", hidden: true,
  },
    buildHead(config, words, onToggle, onRenew),
    banner,
    h("div", { class: "log-frame" }, log, jump),
    chips, composer, status);
  const root = h("div", {
    class: "opsbot", lang: config.language, dir: config.direction, "data-theme": config.theme, "data-position": config.position,
  }, panel, launcher);
  return { root, launcher, badge, panel, banner, log, jump, chips };
}

/**
 * @param {import("./config.js").Config} config
 * @param {import("../shared/words.js").Words} words
 * @param {() => void} onToggle
 * @param {() => void} onRenew
 */
function buildHead(config, words, onToggle, onRenew) {
  return h("div", { class: "head" },
    h("span", { class: "head__mark", "aria-hidden": "true" }, config.title.trim().slice(0, 1)),
    h("div", { class: "head__text" },
      h("h2", { class: "head__title", id: "panel-title" }, config.title),
      h("p", { class: "head__subtitle" }, config.subtitle)),
    h("button", { type: "button", class: "icon-button", "aria-label": words.renew, title: words.renew, onclick: onRenew }, icon(RENEW)),
    h("button", { type: "button", class: "icon-button", "aria-label": words.close, title: words.close, onclick: onToggle }, icon(CLOSE)));
}

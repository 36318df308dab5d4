/** Reads to people who do not see the screen: each reply once, whole, and nothing while it grows. */
import { h } from "./dom.js";

const CLEAR_AFTER_MS = 7000;

export class Announcer {
  constructor() {
    this.element = h("div", { class: "hidden", role: "status", "aria-live": "polite" });
  }

  /** @param {string} text */
  say(text) {
    clearTimeout(this.clearing);
    clearTimeout(this.saying);
    this.element.textContent = "";
    // A screen reader notices a change, not the same words put again in the same moment.
    this.saying = setTimeout(() => { this.element.textContent = text; }, 60);
    this.clearing = setTimeout(() => { this.element.textContent = ""; }, CLEAR_AFTER_MS);
  }
}

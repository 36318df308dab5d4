/** The box a person writes in, with the button that sends or stops. */
import { h, icon } from "../shared/dom.js";
import { SEND, STOP } from "../shared/icons.js";

export class Composer {
  /**
   * @param {object} options
   * @param {import("../shared/words.js").Words} options.words
   * @param {string} options.draft what was left unsent
   * @param {(text: string) => void} options.onSend
   * @param {() => void} options.onStop
   * @param {(text: string) => void} options.onDraft
   */
  constructor({ words, draft, onSend, onStop, onDraft }) {
    this.words = words;
    this.onSend = onSend;
    this.onStop = onStop;
    this.onDraft = onDraft;
    this.busy = false;
    /** Enter was pressed while a reply was being written: the text goes out when that is whole. */
    this.waiting = false;
    this.input = /** @type {HTMLTextAreaElement} */ (h("textarea", {
      class: "composer__input", rows: 1, dir: "auto", placeholder: words.placeholder, "aria-label": words.input,
      enterkeyhint: "send", oninput: () => this.#changed(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
    }));
    this.button = h("button", { type: "submit", class: "composer__send" });
    this.element = h("form", { class: "composer", onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
      h("div", { class: "composer__box" }, this.input, this.button));
    this.setBusy(false);
    this.text = draft;
  }

  get text() {
    return this.input.value;
  }

  set text(text) {
    this.input.value = text;
    this.#changed();
  }

  /** @param {boolean} busy a reply is being written */
  setBusy(busy) {
    this.busy = busy;
    this.button.setAttribute("aria-label", busy ? this.words.stop : this.words.send);
    this.button.replaceChildren(icon(busy ? STOP : SEND));
    if (!busy && this.waiting) this.#send();
  }

  focus() {
    this.input.focus();
  }

  /** Make the box as high as its text; its place must be on screen to be measured. */
  fit() {
    this.input.style.height = "auto";
    if (this.input.scrollHeight) this.input.style.height = `${this.input.scrollHeight}px`;
  }

  #changed() {
    this.waiting = false;
    this.fit();
    this.onDraft(this.input.value);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (this.busy) this.waiting = true;
    else this.#send();
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    if (this.busy) this.onStop();
    else this.#send();
    this.focus();
  }

  #send() {
    const text = this.input.value.trim();
    if (!text) return;
    this.text = "";
    this.onSend(text);
  }
}

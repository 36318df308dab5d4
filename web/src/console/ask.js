/** The Ask page: a question, and the answer with its figures. */
import { Announcer } from "../shared/announcer.js";
import { Client, Refusal } from "../shared/client.js";
import { h } from "../shared/dom.js";
import { newId } from "../shared/ids.js";
import { Thread } from "../shared/thread.js";
import { wordsOf } from "../shared/words.js";
import { addChart, addMethod, addTable } from "./answer.js";

const words = wordsOf(document.documentElement.lang);

export class AskPage {
  /** @param {HTMLElement} root the element with `data-ask` */
  constructor(root) {
    this.form = /** @type {HTMLFormElement} */ (root.querySelector("form"));
    this.input = /** @type {HTMLTextAreaElement} */ (root.querySelector("textarea"));
    this.button = /** @type {HTMLButtonElement} */ (root.querySelector("button[type=submit]"));
    this.log = /** @type {HTMLElement} */ (root.querySelector("[role=log]"));
    this.start = /** @type {HTMLElement} */ (root.querySelector("[data-start]"));
    this.chips = h("div", { class: "chips", role: "group", "aria-label": words.suggestions, hidden: true });
    this.announcer = new Announcer();
    this.form.before(this.chips);
    root.append(this.announcer.element);
    this.client = new Client({
      base: location.origin,
      path: "/v1/ask",
      conversations: "/v1/staff/conversations",
      headers: async () => ({}),
      onEvent: (event) => this.#onEvent(event),
      onLine: (state) => this.announcer.say(words[state]),
    });
    this.thread = new Thread(this.log, {
      base: location.origin, words, self: "staff",
      decide: (id, decision) => this.#decide(id, decision),
      keepInView: (change) => this.#keepInView(change),
      onWhole: (message) => this.#onWhole(message),
      onTable: addTable,
      onChart: addChart,
    });
    this.#listen(root);
  }

  /** @param {HTMLElement} root */
  #listen(root) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.turn) this.#stop();
      else this.#submit();
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!this.turn) this.#submit();
    });
    for (const gesture of ["wheel", "touchmove"]) {
      window.addEventListener(gesture, () => { this.question = undefined; }, { passive: true });
    }
    root.addEventListener("click", (event) => {
      const example = /** @type {HTMLElement} */ (event.target).closest("[data-question]");
      if (example instanceof HTMLElement && !this.turn) this.ask(example.dataset.question ?? "");
    });
  }

  #submit() {
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.ask(text);
  }

  /**
   * @param {string} text
   * @param {string} [clientId]
   */
  async ask(text, clientId = newId()) {
    this.start.hidden = true;
    this.log.hidden = false;
    this.#offer([]);
    const own = this.thread.unsent.get(clientId) ?? this.thread.addOwn(text, clientId);
    // The question goes to the top and the answer grows below it, until the person scrolls.
    this.question = own;
    this.thread.showDots(true);
    this.announcer.say(words.writing);
    this.turn = new AbortController();
    this.#setButton("Stop");
    try {
      await this.client.send({ client_id: clientId, text }, this.turn.signal);
    } catch (error) {
      this.#explain(error, own, () => this.ask(text, clientId));
    } finally {
      this.turn = undefined;
      this.question = undefined;
      this.thread.showDots(false);
      this.#setButton("Ask");
      this.input.focus({ preventScroll: true });
    }
  }

  #stop() {
    this.turn?.abort();
    this.thread.stop(words.stopped);
  }

  /** @param {string} label */
  #setButton(label) {
    this.button.textContent = label;
    this.button.classList.toggle("button--primary", label === "Ask");
  }

  /**
   * @param {string} id
   * @param {import("../shared/proposal.js").Decision} decision
   */
  async #decide(id, decision) {
    await this.client.decide(id, decision);
    const card = this.thread.proposals.get(id);
    if (card?.open) card.settle(decision === "confirm" ? "executed" : "cancelled");
    this.input.focus();
  }

  /** @param {import("../shared/sse.js").StreamEvent} event */
  #onEvent({ type, data }) {
    if (type === "quick_replies") this.#offer(data.choices ?? []);
    else if (type === "error") this.#onError(data);
    else this.thread.apply(type, data);
  }

  /** @param {{ text: string }} data */
  #onError({ text }) {
    this.thread.stop();
    this.log.append(h("div", { class: "notice" }, h("p", {}, text)));
    this.announcer.say(text);
  }

  /** @param {import("../shared/thread.js").Message} message */
  #onWhole(message) {
    addMethod(message);
    this.announcer.say(message.bubble.textContent ?? "");
  }

  /** @param {() => void} change */
  #keepInView(change) {
    change();
    this.question?.scrollIntoView({ block: "start" });
  }

  /**
   * @param {unknown} error
   * @param {HTMLElement} own
   * @param {() => void} retry
   */
  #explain(error, own, retry) {
    const signedOut = error instanceof Refusal && (error.status === 401 || error.status === 403);
    const text = error instanceof Refusal ? error.message || words.unavailable : words.gone;
    const notice = h("div", { class: "notice" }, h("p", {}, text));
    if (signedOut) notice.append(h("a", { class: "button", href: "/console/sign-in" }, "Sign in"));
    else notice.append(h("button", { type: "button", class: "button", onclick: () => { notice.remove(); retry(); } }, words.retry));
    own.append(notice);
    this.announcer.say(text);
  }

  /** @param {string[]} choices */
  #offer(choices) {
    this.chips.replaceChildren(...choices.map((text) =>
      h("button", { type: "button", class: "chip", "data-question": text }, text)));
    this.chips.hidden = choices.length === 0;
  }
}

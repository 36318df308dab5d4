/**
 * The messages of a conversation as elements. It takes the server's events in any order that makes
 * sense and keeps one copy of everything.
 */
import { buildCard } from "./cards.js";
import { buildSources } from "./citations.js";
import { h } from "./dom.js";
import { renderMarkdown } from "./markdown.js";
import { ProposalCard } from "./proposal.js";
import { buildTable } from "./table.js";

/** @typedef {import("./markdown.js").Citation} Citation */

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {string} author
 * @property {string} text
 * @property {Map<number, Citation>} citations
 * @property {Map<string, HTMLElement>} activities
 * @property {HTMLElement} root
 * @property {HTMLElement} bubble
 * @property {HTMLElement} activity
 * @property {HTMLElement} extras
 * @property {number} frame
 */

/**
 * @typedef {object} ThreadOptions
 * @property {string} base address of the server, for links
 * @property {string} self author of the messages that are written here: `customer` or `staff`
 * @property {import("./words.js").Words} words
 * @property {(id: string, decision: import("./proposal.js").Decision) => Promise<void>} decide
 * @property {(change: () => void) => void} keepInView run a change of the log, and scroll if needed
 * @property {(message: Message) => void} onWhole a reply is complete
 * @property {(message: Message, data: any) => void} [onTable]
 * @property {(message: Message, data: any) => void} [onChart]
 * @property {string} [assistant] how the assistant is called
 */

export class Thread {
  /**
   * @param {HTMLElement} log
   * @param {ThreadOptions} options
   */
  constructor(log, options) {
    this.log = log;
    this.options = options;
    /** @type {Map<string, Message>} */
    this.messages = new Map();
    /** @type {Map<string, ProposalCard>} */
    this.proposals = new Map();
    /** @type {Map<string, HTMLElement>} */
    this.unsent = new Map();
    this.dots = h("div", { class: "message message--assistant", "aria-hidden": "true" },
      h("div", { class: "bubble" }, h("span", { class: "dots" }, h("i"), h("i"), h("i"))));
  }

  clear() {
    this.messages.clear();
    this.proposals.clear();
    this.unsent.clear();
    this.log.replaceChildren();
  }

  /**
   * Show what the person wrote before the server has it.
   *
   * @param {string} text
   * @param {string} clientId
   */
  addOwn(text, clientId) {
    const root = this.#buildOwn(text);
    this.unsent.set(clientId, root);
    this.#append(root);
    return root;
  }

  /**
   * Show a text of the assistant that no server sent, such as the greeting.
   *
   * @param {string} text
   */
  addLocal(text) {
    const message = this.#start(`local-${this.messages.size}`, "assistant");
    message.text = text;
    this.#finish(message);
  }

  /**
   * Show a message that was written before.
   *
   * @param {any} past one of the server's transcript
   */
  addPast(past) {
    const of = { message_id: past.message_id };
    const own = past.author === this.options.self;
    this.apply("message_start", { ...of, author: past.author, text: past.text });
    if (own) return;
    for (const citation of past.citations ?? []) this.apply("citation", { ...of, ...citation });
    for (const card of past.cards ?? []) this.apply("card", { ...of, ...card });
    if (past.table) this.apply("table", { ...of, ...past.table });
    if (past.chart) this.apply("chart", { ...of, ...past.chart });
    if (past.proposal) this.apply("action_proposal", { ...of, ...past.proposal });
    this.apply("message_end", { ...of, text: past.text });
  }

  /**
   * Take a message away, if it is there.
   *
   * @param {string} id
   */
  remove(id) {
    const message = this.messages.get(id);
    if (!message) return;
    cancelAnimationFrame(message.frame);
    message.root.remove();
    this.messages.delete(id);
  }

  /** @param {boolean} shown */
  showDots(shown) {
    if (shown) this.#append(this.dots);
    else this.dots.remove();
  }

  /**
   * @param {string} type
   * @param {any} data
   */
  apply(type, data) {
    const handlers = {
      message_start: () => this.#onStart(data),
      message_delta: () => this.#onDelta(data),
      message_end: () => this.#onEnd(data),
      citation: () => this.#onCitation(data),
      tool_call: () => this.#onTool(data),
      card: () => this.#addExtra(data, buildCard(data.kind, data.body ?? {}, this.options)),
      table: () => this.#onTable(data),
      chart: () => this.#onChart(data),
      action_proposal: () => this.#onProposal(data),
      action_result: () => this.#onResult(data),
    };
    const handler = handlers[/** @type {keyof typeof handlers} */ (type)];
    if (handler) this.options.keepInView(handler);
  }

  /**
   * End the reply that is being written, with what there is of it.
   *
   * @param {string} [note] said under it
   */
  stop(note) {
    this.showDots(false);
    for (const message of this.messages.values()) {
      if (message.root.getAttribute("aria-busy") !== "true") continue;
      this.#finish(message);
      if (!note && !message.text && !message.extras.hasChildNodes()) this.remove(message.id);
      if (note) message.extras.append(h("p", { class: "card__note" }, note));
    }
  }

  /** @param {any} data */
  #onStart({ message_id: id, author, replaces, client_id: clientId, text }) {
    if (replaces) this.remove(replaces);
    this.remove(id);
    if (author === this.options.self) {
      this.#adoptOwn(id, clientId, text);
      return;
    }
    this.showDots(false);
    this.#start(id, author);
  }

  /** @param {any} data */
  #onDelta({ message_id: id, text }) {
    const message = this.#find(id);
    message.text += text;
    this.#hideActivity(message);
    // Once per frame: a fast server sends more tokens than a screen can show.
    message.frame ||= requestAnimationFrame(() => this.options.keepInView(() => this.#draw(message)));
  }

  /** @param {any} data */
  #onEnd({ message_id: id, text }) {
    const message = this.#find(id);
    if (typeof text === "string") message.text = text;
    if (message.author === this.options.self) {
      message.bubble.textContent = message.text;
      return;
    }
    this.#finish(message);
    this.options.onWhole(message);
  }

  /** @param {any} data */
  #onCitation(data) {
    const message = this.#find(data.message_id);
    message.citations.set(data.n, data);
    if (message.root.getAttribute("aria-busy") !== "true") this.#finish(message);
  }

  /** @param {any} data */
  #onTool({ message_id: id, name, label, state }) {
    const message = this.#find(id);
    const line = message.activities.get(name) ?? h("p", { class: "activity__line" });
    message.activities.set(name, line);
    line.dataset.state = state;
    line.textContent = state === "running" ? `${label}…` : label;
    message.activity.hidden = message.text !== "";
    message.activity.append(line);
    message.bubble.hidden = message.text === "";
  }

  /** @param {any} data */
  #onTable(data) {
    const message = this.#find(data.message_id);
    if (this.options.onTable) this.options.onTable(message, data);
    else this.#addExtra(data, buildTable(data));
  }

  /** @param {any} data */
  #onChart(data) {
    const message = this.#find(data.message_id);
    if (this.options.onChart) this.options.onChart(message, data);
    else this.#addExtra(data, h("p", { class: "card__note" }, data.summary));
  }

  /** @param {any} data */
  #onProposal(data) {
    this.proposals.get(data.proposal_id)?.element.remove();
    const card = new ProposalCard(data, this.options);
    this.proposals.set(data.proposal_id, card);
    this.#addExtra(data, card.element);
  }

  /** @param {any} data */
  #onResult({ proposal_id: id, state, can_undo: canUndo, undone }) {
    this.proposals.get(id)?.settle(state, canUndo);
    if (undone) this.proposals.get(undone)?.markUndone();
  }

  /**
   * @param {any} data
   * @param {HTMLElement | null} element
   */
  #addExtra(data, element) {
    if (element) this.#find(data.message_id).extras.append(element);
  }

  /**
   * @param {string} id
   * @returns {Message} a new one when the start of it was missed
   */
  #find(id) {
    return this.messages.get(id) ?? this.#start(id, "assistant");
  }

  /**
   * @param {string} id
   * @param {string} author
   * @returns {Message}
   */
  #start(id, author) {
    const { words, assistant } = this.options;
    const name = author === "staff" ? words.authors.staff : assistant || words.authors.assistant;
    const bubble = h("div", { class: "bubble", dir: "auto" }, h("span", { class: "dots" }, h("i"), h("i"), h("i")));
    const activity = h("div", { class: "activity", hidden: true });
    const extras = h("div", { class: "extras" });
    const root = h("div", { class: `message message--${author === "staff" ? "staff" : "assistant"}`, "aria-busy": "true" },
      h("span", { class: "message__author" }, name), activity, bubble, extras);
    const message = { id, author, text: "", citations: new Map(), activities: new Map(), root, bubble, activity, extras, frame: 0 };
    this.messages.set(id, message);
    this.#append(root);
    return message;
  }

  /** @param {Message} message */
  #finish(message) {
    cancelAnimationFrame(message.frame);
    this.#draw(message);
    this.#hideActivity(message);
    message.root.removeAttribute("aria-busy");
    message.bubble.hidden = message.text === "";
    if (message.citations.size) {
      message.root.querySelector(":scope > .sources")?.remove();
      message.bubble.after(buildSources(message.citations, this.options.base, this.options.words));
    }
  }

  /** @param {Message} message */
  #draw(message) {
    message.frame = 0;
    message.bubble.replaceChildren(...renderMarkdown(message.text, {
      base: this.options.base,
      citations: message.citations,
      sourceName: this.options.words.source,
    }));
  }

  /** @param {Message} message */
  #hideActivity(message) {
    message.activity.hidden = true;
    message.bubble.hidden = false;
  }

  /**
   * The server's copy of what the person wrote: keep the one that is there.
   *
   * @param {string} id
   * @param {string | undefined} clientId
   * @param {string | undefined} text
   */
  #adoptOwn(id, clientId, text) {
    const key = clientId ?? [...this.unsent.keys()][0];
    const root = this.unsent.get(key) ?? this.#buildOwn(text ?? "");
    this.unsent.delete(key);
    const bubble = /** @type {HTMLElement} */ (root.querySelector(".bubble"));
    this.messages.set(id, {
      id, author: this.options.self, text: text ?? "", citations: new Map(), activities: new Map(), root, bubble,
      activity: h("div"), extras: h("div"), frame: 0,
    });
    if (!root.isConnected) this.#append(root);
  }

  /** @param {string} text */
  #buildOwn(text) {
    return h("div", { class: "message message--customer" },
      h("span", { class: "hidden" }, `${this.options.words.you}:`),
      h("div", { class: "bubble bubble--plain", dir: "auto" }, text));
  }

  /** @param {HTMLElement} element */
  #append(element) {
    this.options.keepInView(() => {
      this.log.append(element);
      // The dots stand for the reply that is yet to come, so they stay last.
      if (element !== this.dots && this.dots.isConnected) this.log.append(this.dots);
    });
  }
}

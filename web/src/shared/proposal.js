/** The card that a person must confirm before anything is changed. */
import { h } from "./dom.js";

/**
 * @typedef {object} Proposal
 * @property {string} proposal_id
 * @property {string} title
 * @property {string[]} details
 * @property {string} button
 * @property {string} expires_at
 * @property {{ id: string, title: string, text: string } | null} [clause]
 * @property {string} [state]
 * @property {boolean} [can_undo]
 */

/** @typedef {"confirm" | "cancel" | "undo"} Decision */

export class ProposalCard {
  /**
   * @param {Proposal} proposal
   * @param {object} options
   * @param {import("./words.js").Words} options.words
   * @param {(id: string, decision: Decision) => Promise<void>} options.decide
   */
  constructor(proposal, { words, decide }) {
    this.words = words;
    this.decide = decide;
    this.id = proposal.proposal_id;
    this.open = true;
    this.title = proposal.title;
    this.element = this.#build(proposal);
    if (proposal.state && proposal.state !== "proposed") this.settle(proposal.state, proposal.can_undo);
    else this.#expireAt(Date.parse(proposal.expires_at));
  }

  /**
   * Turn the buttons into what came of them.
   *
   * The words of the result come as a message of their own.
   *
   * @param {string} state `executed`, `waiting`, `cancelled`, `rejected`, `expired`, `failed` or `stale`
   * @param {boolean} [canUndo] it was done, and may be taken back
   */
  settle(state, canUndo = false) {
    clearTimeout(this.timer);
    this.open = false;
    this.element.classList.add(`proposal--${state}`);
    this.element.setAttribute("aria-busy", "false");
    const outcome = this.words.outcomes[/** @type {keyof typeof this.words.outcomes} */ (state)] ?? state;
    this.foot.replaceChildren(h("p", { class: "proposal__outcome" }, outcome));
    if (canUndo) this.foot.append(this.#buildUndo());
  }

  /** Say that it was taken back, by a change of its own. */
  markUndone() {
    this.element.setAttribute("aria-busy", "false");
    this.foot.replaceChildren(h("p", { class: "proposal__outcome" }, this.words.undone));
  }

  /** What takes it back is shown first, and confirmed like any other change. */
  #buildUndo() {
    const { words } = this;
    this.note = h("p", { class: "card__note", role: "status" });
    this.undo = h("button", { type: "button", class: "button", onclick: () => this.#press("undo") },
      words.undo, h("span", { class: "hidden" }, `: ${this.title}`));
    return h("div", { class: "row" }, this.undo, this.note);
  }

  /** @param {Proposal} proposal */
  #build({ title, details, button, clause, expires_at: expires }) {
    const { words } = this;
    this.confirm = h("button", { type: "button", class: "button button--primary", onclick: () => this.#press("confirm") }, button);
    this.cancel = h("button", { type: "button", class: "button", onclick: () => this.#press("cancel") }, words.cancel);
    this.note = h("p", { class: "card__note" }, `${words.notYet} ${words.validUntil(clock(expires))}`);
    this.foot = h("div", { class: "proposal__foot" }, this.note, h("div", { class: "row" }, this.confirm, this.cancel));
    return h("div", { class: "card proposal", role: "group", "aria-label": title },
      h("h3", { class: "card__title" }, title),
      h("ul", { class: "proposal__details" }, details.map((line) => h("li", {}, line))),
      clause && h("blockquote", { class: "clause" }, h("strong", {}, `${words.rule} ${clause.title}. `), clause.text),
      this.foot);
  }

  /** @param {Decision} decision */
  async #press(decision) {
    if (this.open === (decision === "undo") || this.element.getAttribute("aria-busy") === "true") return;
    this.#setBusy(true);
    try {
      await this.decide(this.id, decision);
    } catch (error) {
      if (this.#waits(decision)) this.note.textContent = /** @type {Error} */ (error).message || this.words.unavailable;
      if (this.#waits(decision)) this.#setBusy(false);
      return;
    }
    if (!this.#waits(decision)) return;
    this.#setBusy(false);
    if (decision === "undo") this.note.textContent = "";
  }

  /** @param {Decision} decision */
  #waits(decision) {
    return decision === "undo" ? this.undo?.isConnected : this.open;
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.element.setAttribute("aria-busy", String(busy));
    for (const button of [this.confirm, this.cancel, this.undo]) {
      if (!button) continue;
      // Not `disabled`: that would drop the focus to the page.
      if (busy) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
    if (busy) this.note.textContent = this.words.working;
  }

  /** @param {number} moment milliseconds; NaN when the server named none */
  #expireAt(moment) {
    const left = moment - Date.now();
    // Longer than setTimeout can count: it would fire at once.
    if (Number.isNaN(left) || left > 2 ** 31 - 1) return;
    this.timer = setTimeout(() => this.open && this.settle("expired"), Math.max(0, left));
  }
}

/** @param {string} moment */
function clock(moment) {
  const time = new Date(moment);
  return Number.isNaN(time.getTime()) ? moment : time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

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
 */

export class ProposalCard {
  /**
   * @param {Proposal} proposal
   * @param {object} options
   * @param {import("./words.js").Words} options.words
   * @param {(id: string, decision: "confirm" | "cancel") => Promise<void>} options.decide
   */
  constructor(proposal, { words, decide }) {
    this.words = words;
    this.decide = decide;
    this.id = proposal.proposal_id;
    this.open = true;
    this.element = this.#build(proposal);
    this.#expireAt(Date.parse(proposal.expires_at));
  }

  /**
   * Turn the buttons into what came of them.
   *
   * The words of the result come as a message of their own.
   *
   * @param {"executed" | "waiting" | "cancelled" | "rejected" | "expired" | "failed" | "stale"} state
   */
  settle(state) {
    clearTimeout(this.timer);
    this.open = false;
    this.element.classList.add(`proposal--${state}`);
    this.element.setAttribute("aria-busy", "false");
    this.foot.replaceChildren(h("p", { class: "proposal__outcome" }, this.words.outcomes[state] ?? state));
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

  /** @param {"confirm" | "cancel"} decision */
  async #press(decision) {
    if (!this.open || this.element.getAttribute("aria-busy") === "true") return;
    this.#setBusy(true);
    try {
      await this.decide(this.id, decision);
    } catch (error) {
      if (this.open) this.note.textContent = /** @type {Error} */ (error).message || this.words.unavailable;
    }
    if (this.open) this.#setBusy(false);
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.element.setAttribute("aria-busy", String(busy));
    for (const button of [this.confirm, this.cancel]) {
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

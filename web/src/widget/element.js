/** `<opsbot-chat>`: joins the panel, the thread and the client. */
import { Announcer } from "../shared/announcer.js";
import { Client, Refusal } from "../shared/client.js";
import { h } from "../shared/dom.js";
import { newId } from "../shared/ids.js";
import { Scroller } from "../shared/scroller.js";
import { Thread } from "../shared/thread.js";
import { wordsOf } from "../shared/words.js";
import { accentColours } from "./accent.js";
import { Composer } from "./composer.js";
import { languageOf, readConfig } from "./config.js";
import { Identity } from "./identity.js";
import { buildPanel } from "./panel.js";
import { Store } from "./store.js";
import { adoptStyles } from "./styles.js";

const EVENT_PREFIX = "opsbot:";

export class OpsbotChat extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const words = (this.words = wordsOf(languageOf(this.dataset)));
    const config = (this.config = readConfig(this.dataset, this.dataset.base || location.origin, words));
    this.store = new Store(config.site);
    this.identity = new Identity(this.store);
    this.announcer = new Announcer();
    this.unread = 0;
    this.quiet = false;
    this.greeted = false;
    this.lastText = "";
    /** @type {Set<string>} messages whose events are old news */
    this.known = new Set();
    this.ready = Promise.resolve();
    this.#buildView();
    this.client = new Client({
      base: config.base,
      path: "/v1/chat",
      conversations: "/v1/conversations",
      headers: (fresh) => this.identity.headers(fresh),
      onEvent: (event) => this.#onEvent(event),
      onLine: (state) => this.#onLine(state),
    });
    this.narrow = matchMedia("(max-width: 480px)");
    this.narrow.addEventListener("change", () => this.#setModal());
    this.emit("ready");
    // After the page had its chance to say who is here. A full-screen panel never opens by itself.
    setTimeout(() => this.store.read("open") && !this.narrow.matches && this.open({ focus: false }));
  }

  disconnectedCallback() {
    this.turn?.abort();
    document.body.inert = false;
  }

  /** @param {{ focus?: boolean }} [options] */
  open({ focus = true } = {}) {
    this.#show(true);
    if (focus) this.composer.focus();
    this.ready = this.ready.then(() => this.#greet());
    this.emit("open");
  }

  close() {
    this.#show(false);
    this.parts.launcher.focus();
    this.emit("close");
  }

  toggle() {
    if (this.parts.panel.hidden) this.open();
    else this.close();
  }

  /**
   * Say who the person is. What another person wrote in this browser is not shown.
   *
   * @param {import("./identity.js").Proof} proof
   */
  identify(proof) {
    this.ready = this.ready.then(async () => {
      const before = this.identity.key;
      await this.identity.accept(proof).catch(() => {});
      if (this.identity.key !== before) await this.#restart();
    });
  }

  /** Forget the conversation, and the person too. For a log-out. */
  reset() {
    this.ready = this.ready.then(async () => {
      this.store.write(this.#conversationKey, null);
      this.store.write("visitor", null);
      this.store.write("draft", null);
      await this.identity.accept({});
      await this.#restart();
    });
  }

  /** @param {string} text what shall stand in the box, unsent */
  prefill(text) {
    this.open();
    this.composer.text = text;
    this.composer.focus();
  }

  /** @param {string} text */
  send(text) {
    if (this.parts.panel.hidden) this.open();
    this.ready = this.ready.then(() => this.#send(text));
  }

  /**
   * @param {string} name
   * @param {object} [detail]
   */
  emit(name, detail = {}) {
    window.dispatchEvent(new CustomEvent(EVENT_PREFIX + name, { detail }));
  }

  get #conversationKey() {
    return `conversation:${this.identity.key}`;
  }

  #buildView() {
    const { config, words } = this;
    this.composer = new Composer({
      words,
      draft: this.store.read("draft"),
      onSend: (text) => this.send(text),
      onStop: () => this.#stop(),
      onDraft: (text) => this.store.write("draft", text),
    });
    this.parts = buildPanel({
      config, words,
      composer: this.composer.element,
      status: this.announcer.element,
      onToggle: () => this.toggle(),
      onRenew: () => this.#renew(),
      onJump: () => { this.scroller.toEnd(); this.composer.focus(); },
    });
    this.scroller = new Scroller(this.parts.log, (away) => { this.parts.jump.hidden = !away; });
    this.thread = new Thread(this.parts.log, {
      base: config.base, words, self: "customer",
      decide: (id, decision) => this.#decide(id, decision),
      keepInView: (change) => this.scroller.keep(change),
      onWhole: (message) => this.#onWhole(message),
    });
    this.parts.panel.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
    for (const [name, value] of Object.entries(accentColours(config.accent) ?? {})) {
      this.parts.root.style.setProperty(name, value);
    }
    const shadow = this.attachShadow({ mode: "open" });
    adoptStyles(shadow);
    shadow.append(this.parts.root);
  }

  /** @param {boolean} shown */
  #show(shown) {
    const { panel, launcher, root } = this.parts;
    panel.hidden = !shown;
    root.toggleAttribute("data-open", shown);
    launcher.setAttribute("aria-expanded", String(shown));
    launcher.setAttribute("aria-label", shown ? this.words.close : this.words.open);
    this.store.write("open", shown ? "1" : null);
    this.#setModal();
    if (!shown) return;
    this.#setUnread(0);
    this.composer.fit();
    this.scroller.toEnd();
  }

  /** On a phone the panel covers the page, so the page behind it must not take the focus. */
  #setModal() {
    const modal = this.narrow.matches && !this.parts.panel.hidden;
    document.body.inert = modal;
    this.parts.panel.setAttribute("aria-modal", String(modal));
  }

  /** Show the conversation of before, or the greeting. */
  async #greet() {
    if (this.greeted) return;
    this.greeted = true;
    const conversation = this.store.read(this.#conversationKey);
    if (conversation && (await this.#restore(conversation))) return;
    this.thread.addLocal(this.config.greeting);
    this.#offer(this.config.starters);
  }

  /**
   * @param {string} conversation
   * @returns {Promise<boolean>} false when the server no longer has it, or it is not this person's
   */
  async #restore(conversation) {
    this.client.conversation = conversation;
    this.thread.addLocal(this.config.greeting);
    this.quiet = true;
    try {
      await this.#run(async (signal) => {
        await this.#showPast();
        await this.client.resume(signal);
      });
    } catch (error) {
      if (error instanceof Refusal && error.status < 500) {
        this.#forget();
        return false;
      }
      this.#explain(error, () => this.#restart());
    } finally {
      this.quiet = false;
    }
    return true;
  }

  /** Show the transcript; of the events that follow, only what it does not hold. */
  async #showPast() {
    const past = await this.client.transcript();
    for (const message of past) {
      this.thread.addPast(message);
      this.known.add(message.message_id);
    }
    this.#offer(past.at(-1)?.quick_replies ?? []);
    this.scroller.toEnd();
  }

  #forget() {
    this.turn?.abort();
    this.store.write(this.#conversationKey, null);
    this.client.forget();
    this.thread.clear();
    this.#offer([]);
    this.#setBanner("");
  }

  /** Show what belongs to the person who is here now. */
  async #restart() {
    this.turn?.abort();
    this.client.forget();
    this.thread.clear();
    this.#offer([]);
    this.#setBanner("");
    this.greeted = false;
    if (!this.parts.panel.hidden) await this.#greet();
  }

  #renew() {
    this.#forget();
    this.greeted = false;
    this.ready = this.ready.then(() => this.#greet());
    this.composer.focus();
  }

  /**
   * @param {string} text
   * @param {string} [clientId] that of the first try, so that the server answers once
   */
  async #send(text, clientId = newId()) {
    this.lastText = text;
    const own = this.thread.unsent.get(clientId) ?? this.thread.addOwn(text, clientId);
    own.querySelector(".notice")?.remove();
    this.#offer([]);
    this.#setBanner("");
    this.scroller.toEnd();
    this.thread.showDots(true);
    this.announcer.say(this.words.writing);
    this.emit("send", { text });
    try {
      await this.#run((signal) => this.client.send({ client_id: clientId, text }, signal));
    } catch (error) {
      await this.#onFailure(error, text, clientId, own);
    } finally {
      this.thread.showDots(false);
    }
  }

  /**
   * @param {unknown} error
   * @param {string} text
   * @param {string} clientId
   * @param {HTMLElement} own
   */
  async #onFailure(error, text, clientId, own) {
    if (error instanceof Refusal && error.status === 404 && this.client.conversation) {
      this.store.write(this.#conversationKey, null);
      this.client.forget();
      await this.#send(text, clientId);
      return;
    }
    const refused = error instanceof Refusal && error.status >= 400 && error.status < 500 && error.status !== 429;
    if (refused && !this.composer.text) this.composer.text = text;
    this.#explain(error, refused ? null : () => this.#send(text, clientId), own);
  }

  /** @param {(signal: AbortSignal) => Promise<void>} work */
  async #run(work) {
    this.turn?.abort();
    const turn = (this.turn = new AbortController());
    this.composer.setBusy(true);
    try {
      await work(turn.signal);
    } finally {
      if (this.turn === turn) this.composer.setBusy(false);
    }
  }

  #stop() {
    this.turn?.abort();
    this.thread.stop(this.words.stopped);
    this.announcer.say(this.words.stopped);
  }

  /**
   * @param {string} id
   * @param {import("../shared/proposal.js").Decision} decision
   */
  async #decide(id, decision) {
    this.#offer([]);
    await this.client.decide(id, decision);
    const outcome = this.thread.proposals.get(id);
    if (outcome?.open) outcome.settle(decision === "confirm" ? "executed" : "cancelled");
    this.emit("action", { proposal: id, decision });
    this.composer.focus();
  }

  /** @param {import("../shared/sse.js").StreamEvent} event */
  #onEvent({ type, data }) {
    if (this.known.has(data.message_id) && type !== "conversation") {
      // The whole reply is there already; what an interrupted run left of it must not stay beside it.
      if (data.replaces) this.thread.remove(data.replaces);
      return;
    }
    if (type === "conversation") this.#onConversation(data);
    else if (type === "quick_replies") this.#offer(data.choices ?? []);
    else if (type === "handoff") this.#onHandoff(data);
    else if (type === "error") this.#onError(data);
    else this.thread.apply(type, data);
  }

  /** @param {{ conversation_id: string, visitor?: string }} data */
  #onConversation({ conversation_id: id, visitor }) {
    if (visitor) this.store.write("visitor", visitor);
    this.store.write(this.#conversationKey, id);
  }

  /** @param {{ text: string, state: string }} data */
  #onHandoff({ text, state }) {
    this.thread.showDots(false);
    this.#setBanner(text);
    if (!this.quiet) this.announcer.say(text);
    this.emit("handoff", { state });
  }

  /** @param {{ code: string, text: string, retryable: boolean }} data */
  #onError({ code, text, retryable }) {
    this.thread.stop();
    const last = this.lastText;
    this.#note(text, retryable && last ? () => this.#send(last) : null);
    this.emit("error", { code });
  }

  /** @param {import("../shared/thread.js").Message} message */
  #onWhole(message) {
    if (this.quiet || message.id.startsWith("local-")) return;
    this.announcer.say(`${this.words.authors.assistant}: ${message.bubble.textContent}`);
    if (this.parts.panel.hidden) this.#setUnread(this.unread + 1);
    this.emit("message", { text: message.text });
  }

  /** @param {"lost" | "back"} state */
  #onLine(state) {
    this.#setBanner(state === "lost" ? this.words.lost : "", "warning");
    this.announcer.say(this.words[state]);
  }

  /**
   * Say in words what went wrong, under the message it is about.
   *
   * @param {unknown} error
   * @param {(() => void) | null} retry
   * @param {HTMLElement} [own]
   */
  #explain(error, retry, own) {
    const { words } = this;
    this.#setBanner("");
    let text = words.gone;
    if (error instanceof Refusal) {
      if (error.status === 429) text = error.message || words.busy(error.retryAfter);
      else if (error.status === 401) text = words.signIn;
      else text = error.message || (error.status >= 500 ? words.unavailable : words.refused);
    }
    this.#note(text, retry, own);
    this.emit("error", { code: error instanceof Refusal ? error.code : "connection" });
  }

  /**
   * @param {string} text
   * @param {(() => void) | null} retry
   * @param {HTMLElement} [after]
   */
  #note(text, retry, after) {
    const notice = h("div", { class: "notice" }, h("p", {}, text));
    if (retry) {
      const again = () => { notice.remove(); this.composer.focus(); retry(); };
      notice.append(h("button", { type: "button", class: "button", onclick: again }, this.words.retry));
    }
    this.scroller.keep(() => (after ?? this.parts.log).append(notice));
    this.announcer.say(text);
  }

  /** @param {string[]} choices */
  #offer(choices) {
    const { chips } = this.parts;
    chips.replaceChildren(...choices.map((text) =>
      h("button", { type: "button", class: "chip", dir: "auto", onclick: () => { this.composer.focus(); this.send(text); } }, text)));
    chips.hidden = choices.length === 0;
  }

  /**
   * @param {string} text empty: none
   * @param {"plain" | "warning"} [tone]
   */
  #setBanner(text, tone = "plain") {
    const { banner } = this.parts;
    banner.hidden = text === "";
    banner.textContent = text;
    banner.dataset.tone = tone;
  }

  /** @param {number} count */
  #setUnread(count) {
    const { badge, launcher, panel } = this.parts;
    this.unread = count;
    badge.textContent = String(count);
    badge.hidden = count === 0;
    if (panel.hidden) launcher.setAttribute("aria-label", count ? this.words.openUnread(count) : this.words.open);
  }
}

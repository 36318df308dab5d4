/**
 * Talks to the server: posts a message, reads the reply as events, and picks the stream up again
 * where the line was cut. An event that was seen is never delivered twice.
 */
import { readEvents } from "./sse.js";

/** @typedef {import("./sse.js").StreamEvent} StreamEvent */

/** About a minute in all: a server that is started again is back by then. */
const TRIES = 12;
const ENDINGS = new Set(["message_end", "error", "handoff"]);

/** The server understood and refused. Its text is for the person. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{ detail?: string, title?: string, code?: string }} problem
   * @param {number} retryAfter seconds, 0 when unknown
   */
  constructor(status, problem, retryAfter) {
    super(problem.detail || problem.title || "");
    this.status = status;
    this.code = problem.code || "";
    this.retryAfter = retryAfter;
  }
}

export class Client {
  /**
   * @param {object} options
   * @param {string} options.base address of the server, without a path
   * @param {string} options.path where messages are posted
   * @param {string} options.conversations where conversations are read
   * @param {(fresh: boolean) => Promise<Record<string, string>>} options.headers who is asking
   * @param {(event: StreamEvent) => void} options.onEvent
   * @param {(state: "lost" | "back") => void} options.onLine
   */
  constructor({ base, path, conversations, headers, onEvent, onLine }) {
    this.base = base;
    this.path = path;
    this.conversations = conversations;
    this.headers = headers;
    this.onEvent = onEvent;
    this.onLine = onLine;
    this.forget();
  }

  /** Start a new conversation with the next message. */
  forget() {
    /** @type {string | null} */
    this.conversation = null;
    this.last = 0;
  }

  /**
   * Post one message and deliver its events until the reply is whole.
   *
   * @param {{ client_id: string, text: string }} message
   * @param {AbortSignal} signal
   * @throws {Refusal} the server said no
   * @throws {Error} the line stayed cut
   */
  async send(message, signal) {
    let opened = false;
    const body = this.conversation ? { ...message, conversation_id: this.conversation } : message;
    await this.#persist(signal, (event) => {
      opened = opened || event.type === "conversation";
    }, () => (opened ? this.#openLog(signal) : this.#post(this.path, body, "text/event-stream", signal)));
  }

  /**
   * Deliver what the conversation holds after the last event that was seen, and follow a running turn.
   *
   * @param {AbortSignal} signal
   */
  async resume(signal) {
    await this.#persist(signal, () => {}, () => this.#openLog(signal), { silentEnd: true });
  }

  /**
   * Return the messages of the conversation, oldest first.
   *
   * @returns {Promise<any[]>}
   */
  async transcript() {
    const response = await this.#request(`${this.#place}/messages`, {});
    return (await response.json()).messages;
  }

  /**
   * Confirm or cancel a change, or ask for what takes it back. The first two may be repeated: the
   * server does it once.
   *
   * @param {string} proposal
   * @param {import("./proposal.js").Decision} decision
   */
  async decide(proposal, decision) {
    const path = `/v1/proposals/${encodeURIComponent(proposal)}/${decision}`;
    const response = await this.#post(path, {}, "application/json", null);
    const answer = await response.json();
    for (const event of answer.events ?? []) {
      this.#deliver({ type: event.type ?? event.event, id: event.id ?? null, data: event.data });
    }
    return answer;
  }

  /**
   * @param {AbortSignal} signal
   * @param {(event: StreamEvent) => void} look
   * @param {() => Promise<Response>} open
   * @param {{ silentEnd?: boolean }} [options] silentEnd: a stream that ends without an ending is whole
   */
  async #persist(signal, look, open, { silentEnd = false } = {}) {
    let tries = 0;
    let whole = false;
    for (;;) {
      try {
        const response = await open();
        for await (const event of readEvents(response)) {
          if (tries > 0) this.onLine("back");
          tries = 0;
          look(event);
          whole = this.#isWhole(event, whole);
          this.#deliver(event);
        }
        if (whole || silentEnd) return;
        throw new Error("The stream ended before the reply did.");
      } catch (error) {
        if (signal.aborted) return;
        tries += 1;
        if (!canRetry(error) || tries > TRIES) throw error;
        this.onLine("lost");
        await wait(delay(error, tries), signal);
      }
    }
  }

  /**
   * @param {StreamEvent} event
   * @param {boolean} whole
   */
  #isWhole(event, whole) {
    if (event.type === "message_start") return false;
    return whole || ENDINGS.has(event.type);
  }

  /** @param {StreamEvent} event */
  #deliver(event) {
    if (event.type === "conversation") this.conversation = event.data.conversation_id;
    if (event.id !== null) {
      if (event.id <= this.last) return;
      this.last = event.id;
    }
    this.onEvent(event);
  }

  /** @param {AbortSignal} signal */
  #openLog(signal) {
    const path = `${this.#place}/events?after=${this.last}`;
    return this.#request(path, { headers: { accept: "text/event-stream" }, signal });
  }

  get #place() {
    return `${this.conversations}/${encodeURIComponent(this.conversation ?? "")}`;
  }

  /**
   * @param {string} path
   * @param {object} body
   * @param {string} accept
   * @param {AbortSignal | null} signal
   */
  #post(path, body, accept, signal) {
    const headers = { "content-type": "application/json", accept };
    return this.#request(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  }

  /**
   * @param {string} path
   * @param {RequestInit} options
   * @param {boolean} [fresh] bring a new proof, because the server refused the old one
   * @returns {Promise<Response>}
   */
  async #request(path, options, fresh = false) {
    const headers = { ...options.headers, ...(await this.headers(fresh)) };
    const response = await fetch(this.base + path, { ...options, headers, cache: "no-store" });
    if (response.ok) return response;
    if ((response.status === 401 || response.status === 403) && !fresh) return this.#request(path, options, true);
    throw await toRefusal(response);
  }
}

/** @param {Response} response */
async function toRefusal(response) {
  const problem = await response.json().catch(() => ({}));
  return new Refusal(response.status, problem, Number(response.headers.get("retry-after")) || 0);
}

/** @param {unknown} error */
function canRetry(error) {
  return !(error instanceof Refusal) || error.status >= 500;
}

/**
 * @param {unknown} error
 * @param {number} tries
 */
function delay(error, tries) {
  const asked = error instanceof Refusal ? error.retryAfter * 1000 : 0;
  // The spread keeps a crowd of browsers from coming back in the same moment.
  return Math.max(asked, Math.min(8000, 250 * 2 ** (tries - 1)) * (0.7 + Math.random() * 0.6));
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function wait(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

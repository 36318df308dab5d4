/**
 * Entry of `widget.js`. Puts one chat on the page and answers `opsbot('command', …)`.
 *
 * Commands that were called before the script came wait in `opsbot.q`.
 */
import { OpsbotChat } from "./element.js";

const TAG = "opsbot-chat";
const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);

/** @type {Map<Function, [string, EventListener]>} */
const listeners = new Map();

/**
 * @param {OpsbotChat} chat
 * @returns {Record<string, (...args: any[]) => void>}
 */
function commandsOf(chat) {
  return {
    open: () => chat.open(),
    close: () => chat.close(),
    toggle: () => chat.toggle(),
    send: (text) => chat.send(String(text)),
    prefill: (text) => chat.prefill(String(text)),
    identify: (proof) => chat.identify(proof),
    reset: () => chat.reset(),
    destroy: () => chat.remove(),
    on: (name, listener) => listen(name, listener),
    off: (name, listener) => unlisten(listener),
  };
}

/**
 * @param {string} name
 * @param {(detail: any) => void} listener
 */
function listen(name, listener) {
  const wrapped = (/** @type {any} */ event) => listener(event.detail);
  listeners.set(listener, [`opsbot:${name}`, wrapped]);
  window.addEventListener(`opsbot:${name}`, wrapped);
}

/** @param {Function} listener */
function unlisten(listener) {
  const [name, wrapped] = listeners.get(listener) ?? [];
  if (name && wrapped) window.removeEventListener(name, wrapped);
  listeners.delete(listener);
}

function start() {
  if (document.querySelector(TAG)) return;
  const chat = /** @type {OpsbotChat} */ (document.createElement(TAG));
  Object.assign(chat.dataset, script?.dataset ?? {});
  if (script) chat.dataset.base ||= new URL(script.src).origin;
  const waiting = /** @type {any} */ (window).opsbot?.q ?? [];
  const commands = commandsOf(chat);
  /** @type {any} */ (window).opsbot = (/** @type {string} */ name, /** @type {any[]} */ ...args) => {
    if (!Object.hasOwn(commands, name)) throw new Error(`opsbot knows no command "${name}".`);
    commands[name](...args);
  };
  // Beside the body: a page that transforms its body would carry the chat off the screen.
  document.documentElement.append(chat);
  for (const [name, ...args] of waiting) commands[name]?.(...args);
}

if (!customElements.get(TAG)) {
  customElements.define(TAG, OpsbotChat);
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
}

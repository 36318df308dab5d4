/** The words of the interface. A language is one object; English is the one every other falls back to. */

const en = {
  open: "Open chat",
  openUnread: (/** @type {number} */ count) => `Open chat, ${count} new ${count === 1 ? "message" : "messages"}`,
  close: "Close chat",
  renew: "Start a new conversation",
  title: "Support",
  subtitle: "Automated assistant",
  log: "Conversation",
  input: "Write a message",
  placeholder: "Write a message…",
  send: "Send message",
  stop: "Stop the reply",
  stopped: "You stopped this reply.",
  suggestions: "Suggested replies",
  you: "You",
  authors: { assistant: "Assistant", staff: "Staff" },
  greeting: "Hello. I am the automated assistant. Ask me about a product, an order or a return.",
  starters: ["Where is my order?", "What can I return?", "Talk to a person"],
  writing: "Assistant is writing",
  jump: "Newest message",
  sources: (/** @type {number} */ count) => `Sources (${count})`,
  source: (/** @type {{ n: number, title: string, heading?: string }} */ { n, title, heading }) =>
    `Source ${n}: ${title}${heading ? `, ${heading}` : ""}`,
  notYet: "Nothing happens until you confirm.",
  rule: "Our rule:",
  cancel: "Not now",
  working: "Working…",
  validUntil: (/** @type {string} */ time) => `Valid until ${time}.`,
  outcomes: {
    executed: "Done.",
    cancelled: "Cancelled. Nothing was changed.",
    expired: "This offer has expired. Nothing was changed. Ask again to renew it.",
    failed: "This did not work. Nothing was changed.",
    stale: "The facts have changed since. Nothing was changed.",
    waiting: "Confirmed. It waits for a second person.",
    rejected: "It was not approved. Nothing was changed.",
  },
  lost: "Connection lost. Your text is safe; trying again…",
  back: "Connected again.",
  gone: "The connection could not be restored.",
  unavailable: "The assistant cannot be reached at the moment.",
  busy: (/** @type {number} */ seconds) =>
    seconds > 0 ? `Too many messages at once. Try again in ${seconds} seconds.` : "Too many messages at once. Try again in a moment.",
  refused: "This message could not be taken.",
  signIn: "Your sign-in has ended. Sign in again to go on.",
  retry: "Try again",
  order: (/** @type {string} */ number) => `Order ${number}`,
  shipment: (/** @type {string} */ carrier) => `Shipment with ${carrier}`,
  returned: (/** @type {string} */ number) => `Return ${number}`,
  total: "Total",
  asOf: (/** @type {string} */ time) => `As of ${time}`,
  tracking: "Tracking number",
  expected: "Expected",
  refund: "Refund",
  deadline: "Send back by",
  price: "Price",
  availability: "Availability",
  itemNumber: "Item",
  done: "done",
  current: "now",
  todo: "to come",
};

/** @typedef {typeof en} Words */

/** @type {Record<string, Words>} */
const LANGUAGES = { en };

/**
 * Return the words of a language such as `en` or `en-GB`.
 *
 * @param {string} language
 * @returns {Words}
 */
export function wordsOf(language) {
  return LANGUAGES[language.toLowerCase().split("-")[0]] ?? en;
}

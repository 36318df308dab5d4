/**
 * What the shop's own pages do with the widget: say who is signed in, and pass questions on. It uses
 * the public commands alone, so that it may serve as an example.
 */

/** @typedef {(command: string, ...args: any[]) => void} Command */

/** Calls that come before the widget's script wait in a queue. */
function stub() {
  const page = /** @type {any} */ (window);
  if (page.opsbot) return;
  page.opsbot = (/** @type {any[]} */ ...call) => page.opsbot.q.push(call);
  page.opsbot.q = [];
}

/** @param {string} address answers with `{"token": "…"}` */
async function fetchToken(address) {
  const response = await fetch(address, { cache: "no-store" });
  if (!response.ok) throw new Error("The shop gave no token.");
  return (await response.json()).token;
}

stub();
const opsbot = /** @type {Command} */ ((...call) => /** @type {any} */ (window).opsbot(...call));

const { token } = document.documentElement.dataset;
if (token) opsbot("identify", { getToken: () => fetchToken(token) });

document.addEventListener("click", (event) => {
  const control = /** @type {HTMLElement} */ (event.target).closest("[data-chat-send], [data-chat-prefill], [data-chat-open]");
  if (!(control instanceof HTMLElement)) return;
  const { chatSend, chatPrefill } = control.dataset;
  if (chatSend) opsbot("send", chatSend);
  else if (chatPrefill) opsbot("prefill", chatPrefill);
  else opsbot("open");
});

/** Entry of the console's script. Pages are whole without it, except for Ask. */
import { AskPage } from "./ask.js";
import { watchReview } from "./drafts.js";

for (const root of document.querySelectorAll("[data-ask]")) new AskPage(/** @type {HTMLElement} */ (root));
for (const form of document.querySelectorAll("form[data-review]")) watchReview(/** @type {HTMLFormElement} */ (form));

/** The review of a draft: keys, and a warning before edited words are lost. */

/** @param {HTMLFormElement} form the element with `data-review` */
export function watchReview(form) {
  const text = /** @type {HTMLTextAreaElement | null} */ (form.querySelector("textarea[name=text]"));
  const before = text?.value ?? "";
  let leaving = false;
  form.addEventListener("submit", () => { leaving = true; });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("button[value=approve]"));
  });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && text && text.value !== before) event.preventDefault();
  });
}

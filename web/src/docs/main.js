/** Shows the description of the API. Its two files are served from here; nothing else is loaded. */
/** @type {any} */ (window).SwaggerUIBundle({
  url: document.documentElement.dataset.description,
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  syntaxHighlight: false,
  tryItOutEnabled: false,
});

/** The sheets of the widget. Constructed ones are allowed under `style-src 'self'`; `<style>` is not. */
import parts from "../css/parts.css";
import tokens from "../css/tokens.css";
import own from "./widget.css";

/** @param {ShadowRoot} shadow */
export function adoptStyles(shadow) {
  shadow.adoptedStyleSheets = [tokens, own, parts].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
}

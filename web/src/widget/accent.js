/** Keeps the shop's own colour readable, in light and in dark. */

const DARK_INK = [11, 21, 38];
const WHITE = [255, 255, 255];
const DARK_GROUND = [28, 36, 49];
const ENOUGH = 4.5;

/**
 * Derive the colours that depend on the accent.
 *
 * @param {string} hex such as `#1f5fbf`
 * @returns {Record<string, string> | null} custom properties; null when it is no hex colour
 */
export function accentColours(hex) {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  if (!match) return null;
  const accent = match.slice(1).map((part) => parseInt(part, 16));
  const light = towards(accent, DARK_INK, (colour) => contrast(colour, WHITE) >= ENOUGH);
  const dark = towards(accent, WHITE, (colour) => contrast(colour, DARK_GROUND) >= ENOUGH + 0.5);
  return {
    "--accent": `light-dark(${css(light)}, ${css(dark)})`,
    "--on-accent": `light-dark(#fff, ${css(contrast(dark, DARK_INK) >= ENOUGH ? DARK_INK : WHITE)})`,
    "--focus": `light-dark(${css(light)}, ${css(dark)})`,
  };
}

/**
 * Mix a colour with another one, little by little, until it is good.
 *
 * @param {number[]} colour
 * @param {number[]} goal
 * @param {(colour: number[]) => boolean} isGood
 */
function towards(colour, goal, isGood) {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = colour.map((part, at) => Math.round(part + (goal[at] - part) * share));
    if (isGood(mixed)) return mixed;
  }
  return goal;
}

/** @param {number[]} one @param {number[]} other the ratio of WCAG, 1 to 21 */
function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** @param {number[]} colour */
function luminance(colour) {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {number[]} colour */
const css = (colour) => `rgb(${colour.join(" ")})`;

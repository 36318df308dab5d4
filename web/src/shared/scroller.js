/** Keeps the newest message in view, unless the person scrolled up to read. */

const NEAR_PX = 80;

export class Scroller {
  /**
   * @param {HTMLElement} box
   * @param {(away: boolean) => void} onAway
   */
  constructor(box, onAway) {
    this.box = box;
    this.pinned = true;
    box.addEventListener("scroll", () => {
      this.pinned = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
      onAway(!this.pinned);
    }, { passive: true });
    // Quick replies and the keyboard of a phone shrink the log; its end must stay in view.
    new ResizeObserver(() => this.pinned && this.toEnd()).observe(box);
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.pinned = true;
  }

  /** @param {() => void} change */
  keep(change) {
    const pinned = this.pinned;
    change();
    if (pinned) this.toEnd();
  }
}

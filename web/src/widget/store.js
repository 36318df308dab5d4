/** What survives a reload. A browser may forbid storage; then nothing does. */

export class Store {
  /** @param {string} site */
  constructor(site) {
    this.prefix = `opsbot:${site}:`;
  }

  /**
   * @param {string} key
   * @returns {string}
   */
  read(key) {
    try {
      return localStorage.getItem(this.prefix + key) ?? "";
    } catch {
      return "";
    }
  }

  /**
   * @param {string} key
   * @param {string | null} value empty or null forgets the key
   */
  write(key, value) {
    try {
      if (value) localStorage.setItem(this.prefix + key, value);
      else localStorage.removeItem(this.prefix + key);
    } catch {
      // Storage is full or forbidden: the conversation lives until the page is left.
    }
  }
}

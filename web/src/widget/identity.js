/** Who is asking: the shop's signed token, or an anonymous visitor. */

/** @typedef {{ token?: string, getToken?: () => Promise<string> | string }} Proof */

export class Identity {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    /** @type {Proof} */
    this.proof = {};
    this.token = "";
  }

  /** @param {Proof} proof */
  async accept(proof) {
    this.proof = proof ?? {};
    this.token = this.proof.token ?? "";
    if (!this.token) await this.renew();
  }

  /** Ask the shop for a new token; a shop that gave a plain one has no other. */
  async renew() {
    if (this.proof.getToken) this.token = (await this.proof.getToken()) || "";
  }

  /**
   * @param {boolean} fresh the server refused the proof it was given
   * @returns {Promise<Record<string, string>>}
   */
  async headers(fresh) {
    if (fresh && this.token) await this.renew();
    else if (fresh) this.store.write("visitor", null);
    if (this.token) return { authorization: `Bearer ${this.token}` };
    const visitor = this.store.read("visitor");
    return visitor ? { "x-opsbot-visitor": visitor } : {};
  }

  /** A name for the person's own part of the storage. It proves nothing; the server checks the token. */
  get key() {
    return this.token ? `customer-${subjectOf(this.token)}` : "visitor";
  }
}

/** @param {string} token */
function subjectOf(token) {
  try {
    const body = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return String(JSON.parse(atob(body)).sub);
  } catch {
    return "unknown";
  }
}

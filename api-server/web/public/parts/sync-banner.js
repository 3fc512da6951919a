// One line below the header while the server can't be reached as it should: why, and when it is tried again.

import { h } from "../dom.js";
import { session } from "../session.js";
import { sync } from "../sync.js";

class SyncBanner extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "status");
    sync.addEventListener("change", () => this.#render());
    session.addEventListener("change", () => this.#render());
  }

  #render() {
    const { phase, error, retryAt } = sync;
    // While an attempt is under way the last word stands.
    if (phase === "working") return;
    if (!error || session.status !== "signed-in") {
      this.replaceChildren();
      return;
    }
    const panel = h("state-panel");
    this.replaceChildren(panel);
    const retry = error.kind === "limited" ? undefined : () => sync.soon(0);
    panel.show(error, { compact: true, retry, retryAt: error.passes ? retryAt : 0 });
  }
}

customElements.define("sync-banner", SyncBanner);

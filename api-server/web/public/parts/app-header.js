// The bar on every page: where one can go, how far this device and the server agree, and the way out.

import { count, h } from "../dom.js";
import { here, places } from "../router.js";
import { session } from "../session.js";
import { sync } from "../sync.js";

const LINKS = [["/app/", "Documents", "document-list"], ["/app/profile", "Profile", "user-profile"], ["/app/sessions", "Sessions", "user-sessions"]];

class AppHeader extends HTMLElement {
  #status = h("p", { class: "sync", role: "status" });

  connectedCallback() {
    session.addEventListener("change", () => this.#render());
    places.addEventListener("change", () => this.#render());
    sync.addEventListener("change", () => this.#renderStatus());
    this.#render();
  }

  #render() {
    const isIn = session.status === "signed-in";
    const { view } = here();
    const link = ([path, text, name]) => h("a", { href: path, "aria-current": name === view ? "page" : undefined }, text);
    this.replaceChildren(h("header", {},
      h("a", { class: "brand", href: "/app/" }, h("img", { src: "/app/icon.svg", alt: "", width: 28, height: 28 }), "PyMD"),
      isIn && h("nav", { "aria-label": "Main" }, LINKS.map(link)),
      isIn && this.#status,
      isIn && h("button", { type: "button", class: "quiet", onclick: () => this.#signOut() }, "Sign out"),
    ));
    this.#renderStatus();
  }

  #renderStatus() {
    const { phase, waiting, conflicts } = sync;
    const changes = waiting > 0 && `${count(waiting, "change")} waiting`;
    const state = { idle: changes || "Synced", working: "Syncing…", offline: "Offline" }[phase] ?? "Not synced";
    const said = [state, conflicts > 0 && count(conflicts, "conflict"), phase !== "idle" && changes];
    this.#status.dataset.phase = conflicts > 0 ? "conflict" : phase;
    const text = said.filter(Boolean).join(" · ");
    // A screen reader hears what changed, not what was said before.
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }

  async #signOut() {
    const unsent = sync.waiting + sync.conflicts;
    const question = `${count(unsent, "change")} on this device can’t be sent now and would be lost. Sign out all the same?`;
    if (unsent > 0 && !confirm(question)) return;
    try {
      await session.signOut();
    } catch (error) {
      if (!error.kind) throw error;
      const panel = h("state-panel");
      document.querySelector("main").replaceChildren(panel);
      panel.show(error, { retry: () => this.#signOut() });
    }
  }
}

customElements.define("app-header", AppHeader);

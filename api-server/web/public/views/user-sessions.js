// Where one is signed in, and the way to end it: here, there, everywhere.

import { requestOnce } from "../api.js";
import { count, h, when } from "../dom.js";
import { fill } from "../parts/state-panel.js";
import { session } from "../session.js";
import { sync } from "../sync.js";

class UserSessions extends HTMLElement {
  #abort = new AbortController();

  connectedCallback() {
    document.title = "Sessions – PyMD";
    this.#load();
  }

  disconnectedCallback() {
    this.#abort.abort();
  }

  #load() {
    this.#attempt(() => requestOnce("/api/v1/auth/sessions"), ({ items }) => this.#show(items));
  }

  #attempt(load, show) {
    return fill(this, { load, show, signal: this.#abort.signal, signedOut: () => session.over() });
  }

  #show(items) {
    this.replaceChildren(
      h("div", { class: "bar" },
        h("h1", {}, "Sessions"),
        h("button", { type: "button", class: "danger", onclick: () => this.#everywhere() }, "Sign out everywhere"),
      ),
      h("p", { class: "lead" }, "Every browser you are signed in with. End what you don’t know."),
      h("ul", { class: "sessions" }, items.map((item) => this.#row(item))),
    );
  }

  #row({ id, current, userAgent, address, createdAt, usedAt }) {
    const name = browser(userAgent);
    return h("li", { class: "card" },
      h("div", {},
        h("strong", {}, name), " ", current && h("span", { class: "badge" }, "this browser"),
        h("p", { class: "meta" }, `${address} · signed in `, when(createdAt), " · used ", when(usedAt)),
      ),
      !current && h("button", { type: "button", "aria-label": `End the session of ${name}`, onclick: () => this.#end(id) }, "End"),
    );
  }

  async #end(id) {
    await this.#attempt(() => requestOnce(`/api/v1/auth/sessions/${id}`, { method: "DELETE" }), () => this.#load());
  }

  async #everywhere() {
    const unsent = sync.waiting + sync.conflicts;
    const lost = unsent > 0 ? ` ${count(unsent, "change")} that could not be sent yet would be lost.` : "";
    if (!confirm(`Sign out in every browser, this one too?${lost}`)) return;
    await this.#attempt(() => session.signOutEverywhere(), () => undefined);
  }
}

/** `Firefox on Linux`, as far as a user agent tells. */
function browser(userAgent) {
  const find = (names) => names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const name = find([[/Edg\//, "Edge"], [/Firefox\//, "Firefox"], [/Chrom(e|ium)\//, "Chrome"], [/Safari\//, "Safari"]]);
  const system = find([[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]]);
  return [name ?? "A browser", system && `on ${system}`].filter(Boolean).join(" ");
}

customElements.define("user-sessions", UserSessions);

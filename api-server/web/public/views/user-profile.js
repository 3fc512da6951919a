// Who one is here: what the provider knows, and the two things one can change.

import { request } from "../api.js";
import { h, when } from "../dom.js";
import { fill } from "../parts/state-panel.js";
import { session } from "../session.js";

/** What the profile's state at the provider means. */
const PROVIDER = {
  pending: "Saved here. Your sign-in service can’t be reached now and is told later.",
  refused: "Your sign-in service did not take this change; its own values return when you next sign in.",
};

class UserProfile extends HTMLElement {
  #abort = new AbortController();

  connectedCallback() {
    document.title = "Profile – PyMD";
    const { signal } = this.#abort;
    fill(this, { load: () => request("/api/v1/profile"), show: (profile) => this.#show(profile), signal, signedOut: () => session.over() });
  }

  disconnectedCallback() {
    this.#abort.abort();
  }

  #show(profile, said) {
    const { email, emailVerified, name, picture, roles, createdAt, provider } = profile;
    const fact = (term, ...value) => [h("dt", {}, term), h("dd", {}, value)];
    const notice = h("p", { class: "notice", role: "status" }, said ?? PROVIDER[provider] ?? "");
    this.replaceChildren(
      h("h1", {}, "Profile"),
      notice,
      h("div", { class: "card profile" },
        picture ? h("img", { class: "portrait", src: picture, alt: "", width: 88, height: 88, referrerpolicy: "no-referrer" }) : h("span", { class: "portrait", "aria-hidden": "true" }, initial(name ?? email)),
        h("dl", {},
          fact("Email", email ?? "none", emailVerified && h("span", { class: "badge" }, "verified")),
          fact("Roles", roles.length > 0 ? roles.map((role) => h("span", { class: "tag" }, role)) : "none"),
          fact("Here since", when(createdAt)),
        ),
      ),
      h("form", { class: "card", onsubmit: (event) => this.#save(event, profile, notice) },
        h("h2", {}, "What you can change"),
        h("label", { for: "name" }, "Name"),
        h("input", { id: "name", name: "name", value: name ?? "", maxlength: 300, required: true, autocomplete: "name" }),
        h("label", { for: "picture" }, "Picture, a link that begins with https://"),
        h("input", { id: "picture", name: "picture", type: "url", value: picture ?? "", maxlength: 1024, pattern: "https://.+", autocomplete: "photo" }),
        h("div", { class: "actions" }, h("button", { class: "primary" }, "Save")),
      ),
    );
  }

  async #save(event, before, notice) {
    event.preventDefault();
    const entries = Object.fromEntries(new FormData(event.target));
    const changed = Object.entries(entries).filter(([name, value]) => value && value !== before[name]);
    const button = event.target.querySelector("button");
    button.disabled = true;
    try {
      const body = Object.fromEntries(changed);
      const profile = await request("/api/v1/profile", { method: "PATCH", body, type: "application/merge-patch+json" });
      this.#show(profile, PROVIDER[profile.provider] ?? "Saved.");
    } catch (error) {
      if (!error.kind) throw error;
      if (error.kind === "signed-out") return session.over();
      const panel = h("state-panel");
      notice.replaceChildren(panel);
      const [first] = error.errors;
      panel.show(first ? Object.assign(error, { detail: `${first.at.slice(1)} ${first.detail}` }) : error, { compact: true });
      button.disabled = false;
    }
  }
}

function initial(text) {
  return (text ?? "?").trim().charAt(0).toUpperCase();
}

customElements.define("user-profile", UserProfile);

// Where everything begins for whom is not signed in.

import { h } from "../dom.js";
import { returnPath } from "../router.js";
import { session } from "../session.js";

/** What the provider's and our own error codes mean to a person. */
const ERRORS = {
  access_denied: "Sign-in was cancelled, or you may not use this site.",
  invalid_state: "That sign-in took too long or began in another browser. Please try again.",
  temporarily_unavailable: "The sign-in service can’t be reached right now. Please try again shortly.",
};

class SignIn extends HTMLElement {
  connectedCallback() {
    document.title = "Sign in – PyMD";
    const query = new URLSearchParams(location.search);
    const path = returnPath(query.get("return_to"));
    const error = query.get("auth_error");
    const problem = h("div", { class: "problem", role: "alert" });
    const signIn = async ({ target }) => {
      target.disabled = true;
      try {
        await session.signIn(path);
      } catch (error) {
        if (!error.kind) throw error;
        const panel = h("state-panel");
        problem.replaceChildren(panel);
        panel.show(error, { compact: true });
      } finally {
        // Also for whom comes back with the browser's button.
        target.disabled = false;
      }
    };
    this.replaceChildren(h("section", { class: "welcome" },
      h("img", { src: "/app/icon.svg", alt: "", width: 72, height: 72 }),
      h("h1", {}, "Markdown that is where you are"),
      h("p", { class: "lead" }, "Write in any browser, online or off. Your documents follow you, and no edit is lost on the way."),
      error && h("p", { class: "notice bad", role: "alert" }, ERRORS[error] ?? "Sign-in didn’t complete. Please try again."),
      !error && session.ended && h("p", { class: "notice", role: "status" }, "Your session has ended. Sign in to go on where you were; what you wrote is kept on this device."),
      problem,
      h("button", { type: "button", class: "primary large", onclick: signIn }, "Sign in"),
      path !== "/app/" && h("p", { class: "hint" }, "You’ll come back to where you were."),
    ));
  }
}

customElements.define("sign-in", SignIn);

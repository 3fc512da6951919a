// What went wrong, in words a person can do something with: what it is, what is missing, when it goes on.

import { h } from "../dom.js";

/** Title and text for each kind of `ApiError`. */
function words({ kind, missing, detail, code }) {
  switch (kind) {
    case "offline":
      return ["You’re offline", "Your documents are on this device. What you write is kept and sent when you’re back."];
    case "signed-out":
      return ["Your session has ended", "Sign in again to go on where you were."];
    case "forbidden":
      return missing
        ? ["Not allowed", `Your account lacks the permission ${missing}. Ask whoever runs this site for it.`]
        : ["Not allowed", detail || "Your account may not do this."];
    case "limited":
      return ["Too many requests", "This site limits how often it can be asked."];
    case "unavailable":
      return ["The service is busy", "Nothing is lost: your changes are kept on this device."];
    case "not-found":
      return ["Nothing here", detail || "What you look for does not exist, or is not yours."];
    default:
      return ["That didn’t work", detail || `The server answered “${code}”.`];
  }
}

/**
 * A panel for an `ApiError`: with `retry`, a button tries again at once; `retryAt`, in milliseconds since the epoch, is
 * when that happens by itself.
 */
export class StatePanel extends HTMLElement {
  #timer;

  /** Shows an error; `compact` for a line above other content. */
  show(error, { retry, retryAt = 0, compact = false, actions = [] } = {}) {
    const [title, text] = words(error);
    clearInterval(this.#timer);
    this.className = compact ? "state compact" : "state";
    this.dataset.kind = error.kind;
    const rest = h("span", { class: "countdown" });
    const button = retry && h("button", { type: "button", onclick: retry }, "Try again now");
    const heading = compact ? h("strong", {}, title) : h("h1", {}, title);
    this.replaceChildren(
      h("div", {}, heading, h("p", {}, text, " ", rest)),
      h("div", { class: "actions" }, button, actions),
    );
    if (retryAt) this.#countDown(rest, retryAt);
  }

  #countDown(rest, retryAt) {
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1_000));
      rest.textContent = seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again…";
    };
    tick();
    this.#timer = setInterval(tick, 1_000);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }
}

customElements.define("state-panel", StatePanel);

/**
 * Fills a view with what the server says: `load` asks, `show` displays. While it can't be had, a panel says why, and
 * asks again when that may help. Ends with `signal`.
 */
export async function fill(view, { load, show, signal, signedOut }) {
  view.setAttribute("aria-busy", "true");
  try {
    const answer = await load();
    if (!signal.aborted) show(answer);
  } catch (error) {
    if (!error.kind) throw error;
    if (signal.aborted) return;
    if (error.kind === "signed-out") return signedOut();
    const again = () => fill(view, { load, show, signal, signedOut });
    const pause = error.passes ? Math.max(error.retryAfter, 5) * 1_000 : 0;
    const panel = h("state-panel");
    view.replaceChildren(panel);
    const timer = pause && setTimeout(again, pause);
    signal.addEventListener("abort", () => clearTimeout(timer));
    const retry = () => {
      clearTimeout(timer);
      again();
    };
    // Asking at once what was refused, or too often, gives the same answer.
    const isNoUse = ["forbidden", "limited"].includes(error.kind);
    panel.show(error, { retry: isNoUse ? undefined : retry, retryAt: pause && Date.now() + pause });
  } finally {
    view.removeAttribute("aria-busy");
  }
}

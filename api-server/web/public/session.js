// Who is signed in. The page knows the session's dates and subject; the tokens stay in a cookie it can't read.

import { ApiError, requestOnce } from "./api.js";
import * as store from "./store.js";

const tabs = new BroadcastChannel("session");

class Session extends EventTarget {
  /** `unknown`, `signed-in`, `signed-out`, or `unreachable` with the `error` that kept us from knowing. */
  status = "unknown";
  /** The user's subject; offline, that of whoever used this browser last. */
  subject;
  error;
  /** Whether it ended by itself, not because somebody signed out. */
  ended = false;

  /** Asks who is signed in; offline, whoever was stays so on this device. */
  async load() {
    try {
      const { subject } = await requestOnce("/api/v1/auth/session");
      await store.setOwner(subject);
      this.#become("signed-in", { subject });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.kind === "signed-out") {
        this.#become("signed-out", { ended: error.code === "invalid_session" });
      } else {
        const subject = error.passes ? await store.owner() : undefined;
        this.#become(subject ? "signed-in" : "unreachable", { subject, error });
      }
    }
  }

  /** To the provider's sign-in page, and back to `path`. */
  async signIn(path) {
    const { authorizationUrl } = await requestOnce(`/api/v1/auth/login?return_to=${encodeURIComponent(path)}`);
    location.assign(authorizationUrl);
  }

  /** Ends this session here and at the provider. What was kept on this device goes. */
  async signOut() {
    const { logoutUrl } = await requestOnce("/api/v1/auth/logout", { method: "POST" });
    await this.#leave();
    if (logoutUrl) location.assign(logoutUrl);
  }

  /** Ends every session of the user, this one too. */
  async signOutEverywhere() {
    await requestOnce("/api/v1/auth/sessions", { method: "DELETE" });
    await this.#leave();
  }

  /** The API says that the session is over. What is not sent yet is kept for when its user comes back. */
  over() {
    if (this.status !== "signed-in") return;
    this.#become("signed-out", { ended: true });
    tabs.postMessage("over");
  }

  async #leave() {
    await store.forget(this.subject);
    this.#become("signed-out");
    tabs.postMessage("left");
  }

  /** Another tab told: this one shares its cookie. */
  heard(what) {
    if (this.status === "signed-in") this.#become("signed-out", { ended: what === "over" });
  }

  #become(status, { subject, error, ended = false } = {}) {
    Object.assign(this, { status, subject, error, ended });
    this.dispatchEvent(new Event("change"));
  }
}

export const session = new Session();
tabs.addEventListener("message", ({ data }) => session.heard(data));

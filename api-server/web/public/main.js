// The app: the header, and the view of the place one is at, for whom is signed in.

import "./parts/state-panel.js";
import "./parts/app-header.js";
import "./parts/sync-banner.js";
import "./views/document-list.js";
import "./views/document-editor.js";
import "./views/document-conflict.js";
import "./views/sign-in.js";
import "./views/user-profile.js";
import "./views/user-sessions.js";

import { ApiError } from "./api.js";
import { h } from "./dom.js";
import { go, here, places, returnPath } from "./router.js";
import { session } from "./session.js";
import { sync } from "./sync.js";

const main = document.querySelector("main");

/** Shows the view of this place; who is not signed in is asked to, and comes back here. */
function show() {
  const { view, ...place } = here();
  if (session.status === "unknown") return;
  if (session.status === "unreachable") return unreachable();
  const isIn = session.status === "signed-in";
  if (!isIn && view !== "sign-in") {
    const back = location.pathname === "/" ? "/app/" : location.pathname + withoutError(location.search);
    const query = new URLSearchParams({ return_to: back });
    const error = new URLSearchParams(location.search).get("auth_error");
    if (error) query.set("auth_error", error);
    return go(`/app/sign-in?${query}`, { replace: true });
  }
  if (isIn && view === "sign-in") {
    return go(returnPath(new URLSearchParams(location.search).get("return_to")), { replace: true });
  }
  if (isIn && location.pathname === "/") return go("/app/", { replace: true });
  main.replaceChildren(view === "not-found" ? notFound() : Object.assign(document.createElement(view), { place }));
  // A screen reader starts at the top of the new view.
  if (hasShown) main.focus({ preventScroll: true });
  hasShown = true;
  scrollTo(0, 0);
}

let hasShown = false;

function withoutError(search) {
  const query = new URLSearchParams(search);
  query.delete("auth_error");
  return query.size > 0 ? `?${query}` : "";
}

function notFound() {
  document.title = "Nothing here – PyMD";
  const panel = h("state-panel");
  panel.show(new ApiError("not-found"), { actions: [h("a", { class: "button", href: "/app/" }, "To your documents")] });
  return panel;
}

function unreachable() {
  const panel = h("state-panel");
  main.replaceChildren(panel);
  const { error } = session;
  const pause = Math.max(error.retryAfter, 5) * 1_000;
  const timer = error.passes ? setTimeout(load, pause) : 0;
  const retry = () => {
    clearTimeout(timer);
    load();
  };
  panel.show(error, { retry: error.kind === "limited" ? undefined : retry, retryAt: timer && Date.now() + pause });
}

async function load() {
  await session.load();
}

/** What nobody foresaw, before there was anything to show: this browser keeps nothing for us, say. */
addEventListener("unhandledrejection", (event) => {
  if (hasShown) return;
  event.preventDefault();
  const panel = h("state-panel");
  main.replaceChildren(panel);
  const detail = "The app could not start here. It needs storage on this device; a private window may not allow it.";
  panel.show(new ApiError("failed", { detail }), { retry: () => location.reload() });
});

session.addEventListener("change", () => {
  sync.start(session.status === "signed-in" ? session.subject : undefined);
  show();
});
places.addEventListener("change", show);
load();

// So that the app opens without a network too. A page may load no other worker than this one.
if ("serviceWorker" in navigator) {
  const policy = window.trustedTypes?.createPolicy("worker", { createScriptURL: () => "/app/service-worker.js" });
  navigator.serviceWorker.register(policy?.createScriptURL("") ?? "/app/service-worker.js");
}

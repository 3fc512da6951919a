// Places in the app: paths below /app/, with the browser's own back and forward.

const PLACES = [
  [/^\/app\/$/, "document-list"],
  [/^\/app\/documents\/(?<id>[0-9a-f-]{36})$/, "document-editor"],
  [/^\/app\/profile$/, "user-profile"],
  [/^\/app\/sessions$/, "user-sessions"],
  [/^\/app\/sign-in$/, "sign-in"],
];

/** Tells when the place changed. */
export const places = new EventTarget();

/** The view of this place, with what its path says. */
export function here() {
  const path = ["/", "/app"].includes(location.pathname) ? "/app/" : location.pathname;
  for (const [pattern, view] of PLACES) {
    const match = pattern.exec(path);
    if (match) return { view, ...match.groups };
  }
  return { view: "not-found" };
}

/** Goes to a place; `replace` leaves no way back to this one. */
export function go(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", path);
  places.dispatchEvent(new Event("change"));
}

/** A place to come back to, from a query: within the app or none. */
export function returnPath(text) {
  try {
    const url = new URL(text ?? "", location.origin);
    const isOurs = url.origin === location.origin && url.pathname.startsWith("/app/") && url.pathname !== "/app/sign-in";
    return isOurs ? url.pathname + url.search : "/app/";
  } catch {
    return "/app/";
  }
}

addEventListener("popstate", () => places.dispatchEvent(new Event("change")));

addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='/app/']");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || link.target || !isPlain || event.defaultPrevented) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});

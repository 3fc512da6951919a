// Keeps the app's own files, so that it opens without a network. What is asked for comes from the server whenever it
// can; nothing of the API is ever kept here.

const CACHE = "app";

/** The page and every file it may load; a test holds this list to the folder. */
const FILES = [
  "/app/",
  "/app/api.js",
  "/app/app.css",
  "/app/boot.js",
  "/app/documents.js",
  "/app/dom.js",
  "/app/format.js",
  "/app/icon.svg",
  "/app/lib/dompurify-3.4.18/purify.min.js",
  "/app/lib/idb-8.0.4/index.js",
  "/app/lib/marked-18.2.1/marked.esm.js",
  "/app/main.js",
  "/app/parts/app-header.js",
  "/app/parts/state-panel.js",
  "/app/parts/sync-banner.js",
  "/app/preview.js",
  "/app/router.js",
  "/app/session.js",
  "/app/store.js",
  "/app/sync.js",
  "/app/views/document-conflict.js",
  "/app/views/document-editor.js",
  "/app/views/document-list.js",
  "/app/views/sign-in.js",
  "/app/views/user-profile.js",
  "/app/views/user-sessions.js",
];

addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => event.waitUntil(forgetOld().then(() => clients.claim())));

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || !pathname.startsWith("/app/")) return;
  event.respondWith(answer(request, request.mode === "navigate" ? "/app/" : pathname));
});

/** The server's answer, else what is kept under `path`. */
async function answer(request, path) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok && FILES.includes(path)) await cache.put(path, response.clone());
    // The edge is there, the server behind it is not.
    return response.status < 500 ? response : ((await cache.match(path)) ?? response);
  } catch {
    return (await cache.match(path)) ?? Response.error();
  }
}

/** Libraries of earlier versions go. */
async function forgetOld() {
  const cache = await caches.open(CACHE);
  for (const { url } of await cache.keys()) {
    if (!FILES.includes(new URL(url).pathname)) await cache.delete(url);
  }
}

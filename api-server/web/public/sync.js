// Keeps this device and the server alike: reads what changed there, sends what changed here, and says how it goes.

import { ApiError, request } from "./api.js";
import { fromServer, same } from "./documents.js";
import { session } from "./session.js";
import * as store from "./store.js";

/** Changes of one request, and about how many characters: within the API's limits. */
const BATCH = 50;
const BATCH_CHARACTERS = 2_000_000;

/** Between two looks at the server, while the page is seen. */
const POLL_MILLIS = 30_000;

/** The first and the longest pause after a failure that may pass. */
const PAUSE_SECONDS = [2, 30];

class Sync extends EventTarget {
  /** `idle`, `working`, or what went wrong last: the kind of `error`. */
  phase = "idle";
  error;
  /** When the next attempt is made, in milliseconds since the epoch. */
  retryAt = 0;
  /** Changes that were not sent yet, and those in conflict. */
  waiting = 0;
  conflicts = 0;

  #owner;
  #timer;
  #failures = 0;
  #running = false;
  #again = false;

  constructor() {
    super();
    addEventListener("online", () => this.soon(0));
    addEventListener("focus", () => this.soon(0));
    addEventListener("offline", () => this.#fail(new ApiError("offline")));
    store.changes.addEventListener("change", () => this.#count());
  }

  /** Begins for a user; without one, stops. */
  start(owner) {
    this.#owner = owner;
    this.#failures = 0;
    clearTimeout(this.#timer);
    if (owner) this.soon(0);
    else this.#become("idle");
    this.#count();
  }

  /** Syncs after a pause, which begins anew with every call: a user who types is not interrupted. */
  soon(millis) {
    if (!this.#owner) return;
    // Told to wait: asking earlier only makes it longer.
    const wait = this.phase === "limited" ? Math.max(millis, this.retryAt - Date.now()) : millis;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), wait);
  }

  async #run() {
    if (this.#running) {
      this.#again = true;
      return;
    }
    const owner = this.#owner;
    this.#running = true;
    this.#become("working");
    try {
      // One tab at a time: they share what is on this device.
      await navigator.locks.request("sync", async () => {
        await pull(owner);
        await push(owner);
      });
      this.#failures = 0;
      await this.#count();
      this.#become("idle");
      // Asked for, or written, while this went on.
      const isMore = this.#again || this.waiting > 0 || owner !== this.#owner;
      this.soon(isMore ? 0 : POLL_MILLIS);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (owner === this.#owner) this.#fail(error);
    } finally {
      this.#running = false;
      this.#again = false;
    }
  }

  #fail(error) {
    if (!this.#owner) return;
    if (error.kind === "signed-out") {
      session.over();
      return;
    }
    if (error.passes) {
      const [first, longest] = PAUSE_SECONDS;
      const pause = Math.max(Math.min(first * 2 ** this.#failures, longest), error.retryAfter);
      this.#failures += 1;
      this.retryAt = Date.now() + pause * 1_000;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#run(), pause * 1_000);
    }
    this.#become(error.kind, error);
  }

  async #count() {
    const documents = this.#owner ? await store.all(this.#owner) : [];
    this.waiting = documents.filter(({ edit, conflict, problem }) => edit && !conflict && !problem).length;
    this.conflicts = documents.filter(({ conflict }) => conflict).length;
    this.dispatchEvent(new Event("change"));
  }

  #become(phase, error) {
    this.phase = phase;
    this.error = error;
    this.dispatchEvent(new Event("change"));
  }
}

async function pull(owner) {
  for (let more = true; more; ) {
    const cursor = await store.cursor(owner);
    const page = await request(`/api/v1/sync/changes?limit=100${cursor ? `&cursor=${cursor}` : ""}`).catch((error) => {
      // The server's history is another one, from a backup say: read it from its start.
      if (error.status === 410 && cursor) return { changes: [], cursor: "", more: true };
      throw error;
    });
    for (const change of page.changes) await store.update(owner, change.id, (mine) => merged(mine, change));
    await store.setCursor(owner, page.cursor);
    more = page.more;
  }
}

/** What is kept of a document that changed at the server. */
function merged(mine, change) {
  if (!mine?.edit) return fromServer(change);
  return change.version <= mine.version ? mine : reconciled(mine, change);
}

/** What is kept where both sides changed a document. Of a deletion and an edit, the edit stays. */
function reconciled(mine, change) {
  if (mine.deleted || same(mine, change.document)) return fromServer(change);
  // Our own earlier change, whose answer got lost; what was written since goes on top of it.
  if (same(mine.sent, change.document)) return { ...mine, version: change.version };
  return { ...mine, conflict: change };
}

async function push(owner) {
  const tried = new Set();
  for (;;) {
    const batch = nextBatch(await store.all(owner), tried);
    if (batch.length === 0) return;
    for (const { id, edit, title, tags, content } of batch) {
      tried.add(edit);
      await store.update(owner, id, (document) => document && { ...document, sent: { title, tags, content } });
    }
    const body = { changes: batch.map(toChange) };
    const { outcomes } = await request("/api/v1/sync/push", { method: "POST", body });
    for (const [at, outcome] of outcomes.entries()) {
      await store.update(owner, batch[at].id, (document) => document && settled(document, batch[at], outcome));
    }
  }
}

function nextBatch(documents, tried) {
  const batch = [];
  let characters = 0;
  for (const document of documents) {
    const isToSend = document.edit && !document.conflict && !document.problem && !tried.has(document.edit);
    if (!isToSend) continue;
    characters += document.content.length;
    if (batch.length > 0 && (batch.length === BATCH || characters > BATCH_CHARACTERS)) break;
    batch.push(document);
  }
  return batch;
}

function toChange({ id, edit, version, deleted, title, tags, content }) {
  const change = { idempotencyKey: edit, id, baseVersion: version };
  return deleted ? { ...change, deleted: true } : { ...change, document: { title, tags, content } };
}

/** What is kept of a document whose change, as it was `sent`, had this outcome. */
function settled(document, sent, outcome) {
  const editedSince = document.edit !== sent.edit;
  switch (outcome.status) {
    case "applied":
      if (sent.deleted && !editedSince) return undefined;
      return { ...document, version: outcome.version, edit: editedSince ? document.edit : null, sent: null };
    case "conflict":
      // Without a copy, the server never had such a document.
      return reconciled(document, outcome.current ?? { version: 0, deleted: true });
    case "forbidden":
      return { ...document, problem: { code: "forbidden", missing: outcome.scope } };
    default:
      return { ...document, problem: { code: "invalid", errors: outcome.errors } };
  }
}

export const sync = new Sync();

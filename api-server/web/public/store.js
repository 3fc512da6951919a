// What is kept on this device: documents with edits that were not sent yet, how far the history was read, and whose
// it is. IndexedDB only; no token is ever among it.
//
// A document is {owner, id, title, tags, content, createdAt, updatedAt, version, edit, sent, deleted, conflict, problem}:
// - version: the server's version it is based on, 0 if the server never had it
// - edit: the idempotency key of a change that was not sent yet, or null
// - sent: what was sent last, to know it again when its answer got lost
// - conflict: the server's copy that our change did not fit, or null
// - problem: why the server refuses the change, or null

import { openDB } from "./lib/idb-8.0.4/index.js";

const database = open();

// Some private windows throw here, others refuse later: either way the promise says so.
async function open() {
  return openDB("pymd", 1, {
    upgrade(db) {
      const documents = db.createObjectStore("documents", { keyPath: ["owner", "id"] });
      documents.createIndex("owner", "owner");
      db.createObjectStore("meta");
    },
  });
}

const tabs = new BroadcastChannel("documents");

/** Tells of documents that changed: here or in another tab, with their id. */
export const changes = new EventTarget();
tabs.addEventListener("message", ({ data }) => tell(data));

function tell(id) {
  changes.dispatchEvent(new CustomEvent("change", { detail: id }));
}

/** Who used this browser last. */
export async function owner() {
  return (await database).get("meta", "owner");
}

/** From now on somebody's; what another user left behind and was sent already goes. */
export async function setOwner(subject) {
  const db = await database;
  await db.put("meta", subject, "owner");
  const transaction = db.transaction("documents", "readwrite");
  for await (const cursor of transaction.store) {
    if (cursor.value.owner !== subject && !cursor.value.edit) cursor.delete();
  }
  await transaction.done;
}

/** Everything of a user goes. */
export async function forget(subject) {
  const db = await database;
  const transaction = db.transaction(["documents", "meta"], "readwrite");
  const documents = transaction.objectStore("documents");
  for (const key of await documents.index("owner").getAllKeys(subject)) documents.delete(key);
  transaction.objectStore("meta").delete("owner");
  transaction.objectStore("meta").delete(cursorOf(subject));
  await transaction.done;
  tell(null);
}

const cursorOf = (subject) => `cursor ${subject}`;

/** How far a user's history was read. */
export async function cursor(subject) {
  return (await database).get("meta", cursorOf(subject));
}

/** Remembers it; without a value the history is read from its start. */
export async function setCursor(subject, value) {
  const db = await database;
  await (value ? db.put("meta", value, cursorOf(subject)) : db.delete("meta", cursorOf(subject)));
}

/** All documents of a user, deleted ones too. */
export async function all(subject) {
  return (await database).getAllFromIndex("documents", "owner", subject);
}

/** One of them. */
export async function get(subject, id) {
  return (await database).get("documents", [subject, id]);
}

/**
 * Changes a document in one transaction: `change` gets what is there, or `undefined`, and gives what shall be there, or
 * `undefined` for nothing.
 */
export async function update(subject, id, change) {
  const transaction = (await database).transaction("documents", "readwrite");
  const before = await transaction.store.get([subject, id]);
  const after = change(before);
  if (after) await transaction.store.put({ ...after, owner: subject, id });
  else if (before) await transaction.store.delete([subject, id]);
  await transaction.done;
  tell(id);
  tabs.postMessage(id);
  return after;
}

// What a user does with documents: every change is kept on this device first and sent later.

import * as store from "./store.js";

const newKey = () => crypto.randomUUID();

/** A new, empty document; gives its id. */
export async function create(owner, { title = "", tags = [], content = "" } = {}) {
  const id = crypto.randomUUID();
  const now = new Date().toISOString();
  await store.update(owner, id, () => ({
    title, tags, content, createdAt: now, updatedAt: now, version: 0,
    edit: newKey(), sent: null, deleted: false, conflict: null, problem: null,
  }));
  return id;
}

/** Changes title, tags or content. */
export function save(owner, id, changed) {
  return store.update(owner, id, (document) => document && {
    ...document, ...changed, updatedAt: new Date().toISOString(), edit: newKey(), problem: null,
  });
}

/** Deletes a document; one the server never heard of is gone at once. */
export function remove(owner, id) {
  return store.update(owner, id, (document) => {
    const neverSent = document?.version === 0 && !document.sent;
    return neverSent ? undefined : document && { ...document, deleted: true, edit: newKey(), conflict: null, problem: null };
  });
}

/** Takes back a deletion that the server refused. */
export function restore(owner, id) {
  return store.update(owner, id, (document) => document && { ...document, deleted: false, edit: null, problem: null });
}

/** Ends a conflict with what is here: it goes on top of the server's copy. */
export function keepMine(owner, id, content = {}) {
  return store.update(owner, id, (document) => document && {
    ...document, ...content, version: document.conflict?.version ?? 0, conflict: null, edit: newKey(),
  });
}

/** Ends a conflict with the server's copy. */
export function takeTheirs(owner, id) {
  return store.update(owner, id, (document) => document?.conflict && fromServer(document.conflict));
}

/** Ends a conflict with both: the server's copy stays, ours becomes a document of its own, whose id this gives. */
export async function keepBoth(owner, id) {
  const mine = await store.get(owner, id);
  const copy = await create(owner, { ...mine, title: `${mine.title || "Untitled"} (my copy)` });
  await takeTheirs(owner, id);
  return copy;
}

/** The server's copy as it is kept here; nothing where it is deleted. */
export function fromServer(change) {
  if (change.deleted) return undefined;
  return {
    ...change.document, updatedAt: change.updatedAt, version: change.version,
    edit: null, sent: null, deleted: false, conflict: null, problem: null,
  };
}

/** Whether two copies say the same. */
export function same(one, other) {
  const said = ({ title, tags, content }) => JSON.stringify([title, tags, content]);
  return Boolean(one && other) && said(one) === said(other);
}

/** A user's documents in which every word of `query` begins a word, newest change first. */
export async function search(owner, query = "") {
  const wanted = words(query);
  const documents = (await store.all(owner)).filter((document) => !document.deleted);
  const found = documents.filter(({ title, tags, content }) => {
    const there = wanted.length ? words([title, ...tags, content].join(" ")) : [];
    return wanted.every((word) => there.some((other) => other.startsWith(word)));
  });
  return found.sort((a, b) => b.updatedAt.localeCompare(a.updatedAt));
}

/** As the server's search takes a text apart. */
function words(text) {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

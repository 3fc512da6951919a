// One document: written on the left, read on the right, kept on this device while one types.

import { h } from "../dom.js";
import { remove, restore, save } from "../documents.js";
import { ApiError } from "../api.js";
import { shortcut } from "../format.js";
import { go } from "../router.js";
import { session } from "../session.js";
import * as store from "../store.js";
import { sync } from "../sync.js";

/** After the last key: shown, sent. On this device it is kept at once. */
const PREVIEW_MILLIS = 150;
const SEND_MILLIS = 1_500;

/** The API's limits. */
const MAX_TITLE = 500;
const MAX_TAGS = 32;
const MAX_TAG = 64;

class DocumentEditor extends HTMLElement {
  place;
  #abort = new AbortController();
  #shown;
  #typedSince = false;
  #keeping = false;
  #previewing;
  #previewed;
  #state = h("p", { class: "doc-state", role: "status" });
  #notice = h("div", { class: "problem" });
  #title = h("input", { id: "title", class: "title", maxlength: MAX_TITLE, placeholder: "Untitled", autocomplete: "off" });
  #tags = h("input", { id: "tags", class: "tags", placeholder: "Tags, separated by commas", autocomplete: "off" });
  #content = h("textarea", { id: "content", spellcheck: "true", placeholder: "Write in Markdown…" });
  #preview = h("section", { class: "preview", "aria-label": "Preview", tabindex: 0 });

  async connectedCallback() {
    const { signal } = this.#abort;
    for (const field of [this.#title, this.#tags, this.#content]) field.addEventListener("input", () => this.#typed());
    this.#content.addEventListener("keydown", (event) => shortcut(event, this.#content));
    store.changes.addEventListener("change", ({ detail }) => detail === this.place.id && this.#refresh(), { signal });
    // A document one was sent a link to may still be on its way.
    sync.addEventListener("change", () => !this.#shown && this.#refresh(), { signal });
    await this.#refresh();
  }

  disconnectedCallback() {
    this.#abort.abort();
  }

  async #refresh() {
    const document = await store.get(session.subject, this.place.id);
    if (this.#abort.signal.aborted) return;
    if (!document || document.deleted) return this.#missing();
    const view = document.conflict ? "conflict" : "editor";
    if (this.dataset.view !== view) this.#build(view, document);
    this.#update(document);
  }

  /** Not here: gone, never there, or not read yet. */
  async #missing() {
    globalThis.document.title = "Nothing here – PyMD";
    const isKnown = (await store.cursor(session.subject)) || sync.error;
    if (!isKnown || this.#abort.signal.aborted) return;
    const panel = h("state-panel");
    delete this.dataset.view;
    this.#shown = undefined;
    this.replaceChildren(panel);
    const actions = [h("a", { class: "button", href: "/app/" }, "To your documents")];
    panel.show(new ApiError("not-found"), { actions });
  }

  #build(view, document) {
    this.dataset.view = view;
    this.#shown = undefined;
    if (view === "conflict") {
      this.replaceChildren(Object.assign(h("document-conflict"), { copy: document }));
      return;
    }
    const write = (mode) => h("button", { type: "button", "aria-pressed": String(mode === "write"), onclick: () => this.#mode(mode) }, mode === "write" ? "Write" : "Preview");
    this.replaceChildren(
      h("h1", { class: "hidden" }, "Edit document"),
      h("div", { class: "bar" },
        h("a", { class: "back", href: "/app/" }, "← Documents"),
        this.#state,
        h("div", { class: "modes", role: "group", "aria-label": "Show" }, write("write"), write("read")),
        h("button", { type: "button", class: "quiet danger", onclick: () => this.#remove() }, "Delete"),
      ),
      this.#notice,
      h("label", { class: "hidden", for: "title" }, "Title"), this.#title,
      h("label", { class: "hidden", for: "tags" }, "Tags"), this.#tags,
      h("div", { class: "panes" },
        h("label", { class: "hidden", for: "content" }, "Text, in Markdown"), this.#content,
        this.#preview,
      ),
    );
    this.#mode("write");
  }

  /** On a narrow screen one pane is shown at a time. */
  #mode(mode) {
    this.dataset.mode = mode;
    const [write, read] = this.querySelectorAll(".modes button");
    write.setAttribute("aria-pressed", String(mode === "write"));
    read.setAttribute("aria-pressed", String(mode === "read"));
  }

  #update(document) {
    if (this.dataset.view === "conflict") {
      this.querySelector("document-conflict").copy = document;
      return;
    }
    const text = { title: document.title, tags: document.tags.join(", "), content: document.content };
    // What is being typed here is newer than what is stored.
    if (!this.#typedSince && !this.#keeping) {
      this.#fill(text);
      this.#say(document.edit ? "Kept on this device" : "Saved");
    }
    this.#shown = document;
    globalThis.document.title = `${document.title || "Untitled"} – PyMD`;
    this.#showProblem(document);
  }

  #fill({ title, tags, content }) {
    if (this.#title.value !== title) this.#title.value = title;
    if (!this.#shown || this.#shown.tags.join(", ") !== tags) this.#tags.value = tags;
    if (this.#content.value !== content) this.#content.value = content;
    this.#render();
  }

  /** A screen reader hears what changed, not what was said before. */
  #say(state) {
    if (this.#state.textContent !== state) this.#state.textContent = state;
  }

  #showProblem({ problem, deleted, id }) {
    if (!problem) return this.#notice.replaceChildren();
    const panel = h("state-panel");
    this.#notice.replaceChildren(panel);
    const detail = problem.errors?.map(({ at, detail }) => `${at.split("/").pop() || "The document"} ${detail}`).join("; ");
    const error = new ApiError(problem.code === "forbidden" ? "forbidden" : "refused", { missing: problem.missing, detail });
    const undo = h("button", { type: "button", onclick: () => restore(session.subject, id) }, "Keep the document");
    panel.show(error, { compact: true, actions: deleted ? [undo] : [] });
  }

  #typed() {
    this.#typedSince = true;
    this.#say("Writing…");
    this.#keep();
    clearTimeout(this.#previewing);
    this.#previewing = setTimeout(() => this.#render(), PREVIEW_MILLIS);
  }

  /** One write at a time; what is typed meanwhile goes with the next. */
  async #keep() {
    if (this.#keeping) return;
    this.#keeping = true;
    while (this.#typedSince) {
      this.#typedSince = false;
      const text = { title: this.#title.value, tags: parseTags(this.#tags.value), content: this.#content.value };
      await save(session.subject, this.place.id, text);
    }
    this.#keeping = false;
    this.#say("Kept on this device");
    sync.soon(SEND_MILLIS);
  }

  async #render() {
    const { render } = await import("../preview.js");
    const { value } = this.#content;
    if (this.#previewed === value) return;
    this.#previewed = value;
    render(this.#preview, value);
  }

  async #remove() {
    if (!confirm(`Delete “${this.#title.value || "Untitled"}”?`)) return;
    this.#typedSince = false;
    await remove(session.subject, this.place.id);
    sync.soon(0);
    go("/app/");
  }
}

function parseTags(text) {
  const tags = text.split(",").map((tag) => tag.trim().slice(0, MAX_TAG)).filter(Boolean);
  return [...new Set(tags)].slice(0, MAX_TAGS);
}

customElements.define("document-editor", DocumentEditor);

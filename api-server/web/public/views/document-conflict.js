// The same document changed here and elsewhere: both copies side by side, and the user's choice.

import { h, when } from "../dom.js";
import { keepBoth, keepMine, takeTheirs } from "../documents.js";
import { go } from "../router.js";
import { session } from "../session.js";
import { sync } from "../sync.js";

class DocumentConflict extends HTMLElement {
  #copy;

  /** The document on this device, with the server's copy in its `conflict`. */
  set copy(document) {
    this.#copy = document;
    if (this.isConnected) this.#render();
  }

  connectedCallback() {
    this.#render();
  }

  #render() {
    const mine = this.#copy;
    const { document: theirs, updatedAt } = mine.conflict;
    document.title = `Conflict: ${mine.title || "Untitled"} – PyMD`;
    this.replaceChildren(
      h("div", { class: "bar" }, h("a", { class: "back", href: "/app/" }, "← Documents")),
      h("h1", {}, "Two versions of this document"),
      h("p", { class: "lead" }, theirs
        ? "It was changed here and on another device. Nothing is lost: choose what to keep. Lines that only one version has are marked."
        : "It was deleted on another device while you changed it here. Nothing is lost: choose what to keep."),
      h("div", { class: "versions" },
        version("On this device", mine, theirs, mine.updatedAt),
        theirs ? version("On the server", theirs, mine, updatedAt) : h("section", { class: "version" }, h("h2", {}, "On the server"), h("p", {}, "Deleted")),
      ),
      h("div", { class: "actions" },
        h("button", { type: "button", class: "primary", onclick: () => this.#end(keepMine) }, "Keep mine"),
        h("button", { type: "button", onclick: () => this.#end(takeTheirs) }, theirs ? "Take the server’s" : "Delete it here too"),
        theirs && h("button", { type: "button", onclick: () => this.#end(keepBoth) }, "Keep both"),
      ),
    );
  }

  async #end(choice) {
    const { id } = this.#copy;
    const copy = await choice(session.subject, id);
    sync.soon(0);
    if (choice === keepBoth) go(`/app/documents/${copy}`);
  }
}

/** One version, with the lines marked that the other does not have. */
function version(heading, { title, tags, content }, other, updatedAt) {
  const theirs = new Set((other?.content ?? "").split("\n"));
  const lines = content.split("\n").map((line) => (
    other && !theirs.has(line) ? h("mark", {}, line || " ", "\n") : `${line}\n`
  ));
  const differs = (one, two) => (other && one !== two ? h("mark", {}, one) : one);
  return h("section", { class: "version" },
    h("h2", {}, heading, " ", updatedAt && h("small", {}, when(updatedAt))),
    h("p", { class: "title" }, differs(title || "Untitled", other?.title || "Untitled")),
    tags.length > 0 && h("p", { class: "meta" }, tags.map((tag) => h("span", { class: "tag" }, tag))),
    h("pre", { tabindex: 0, role: "region", "aria-label": `Text ${heading.toLowerCase()}` }, lines),
  );
}

customElements.define("document-conflict", DocumentConflict);

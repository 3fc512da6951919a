// A user's documents, from what is on this device: searched as one types, there without a network too.

import { h, when } from "../dom.js";
import { create, search } from "../documents.js";
import { go } from "../router.js";
import { session } from "../session.js";
import * as store from "../store.js";
import { sync } from "../sync.js";

class DocumentList extends HTMLElement {
  #list = h("ul", { class: "documents" });
  #found = h("p", { class: "hint", role: "status" });
  #query = "";
  #abort = new AbortController();

  connectedCallback() {
    document.title = "Documents – PyMD";
    this.replaceChildren(
      h("div", { class: "bar" },
        h("h1", {}, "Documents"),
        h("button", { type: "button", class: "primary", onclick: () => this.#create() }, "New document"),
      ),
      h("search", {},
        h("label", { class: "hidden", for: "q" }, "Search documents"),
        h("input", { id: "q", type: "search", placeholder: "Search titles, tags and text", autocomplete: "off", oninput: (event) => this.#search(event.target.value) }),
      ),
      this.#found,
      this.#list,
    );
    const { signal } = this.#abort;
    store.changes.addEventListener("change", () => this.#render(), { signal });
    sync.addEventListener("change", () => this.#render(), { signal });
    this.#render();
  }

  disconnectedCallback() {
    this.#abort.abort();
  }

  async #create() {
    const id = await create(session.subject);
    sync.soon(1_500);
    go(`/app/documents/${id}`);
  }

  #search(query) {
    this.#query = query;
    this.#render();
  }

  async #render() {
    const query = this.#query;
    const documents = await search(session.subject, query);
    if (query !== this.#query) return;
    const known = await store.cursor(session.subject);
    this.#list.replaceChildren(...documents.map(row));
    this.#found.textContent = summary(documents.length, query, known);
  }
}

function summary(number, query, known) {
  if (query.trim()) return number === 0 ? `Nothing matches “${query.trim()}”.` : `${number} found`;
  if (number > 0) return "";
  return known ? "No documents yet. Your first one is a click away." : "Looking for your documents…";
}

function row({ id, title, tags, content, updatedAt, edit, conflict, problem }) {
  const [state, text] = conflict ? ["bad", "Conflict"] : problem ? ["bad", "Not accepted"] : edit ? ["", "Not sent yet"] : [];
  return h("li", {}, h("a", { href: `/app/documents/${id}` },
    h("span", { class: "title" }, title || "Untitled"),
    h("span", { class: "excerpt" }, excerpt(content)),
    h("span", { class: "meta" },
      when(updatedAt),
      tags.map((tag) => h("span", { class: "tag" }, tag)),
      text && h("span", { class: `badge ${state}` }, text),
    ),
  ));
}

/** The beginning of a text, without most of what makes it Markdown. */
function excerpt(content) {
  const plain = content.slice(0, 400).replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/^[#>\s*+-]+|[*_`~|]+/gm, "");
  return plain.replace(/\s+/g, " ").trim().slice(0, 140);
}

customElements.define("document-list", DocumentList);

// Markdown as it will be read: made by marked, and nothing of it reaches the page that DOMPurify did not let through.

import { Marked } from "./lib/marked-18.2.1/marked.esm.js";
import "./lib/dompurify-3.4.18/purify.min.js";

const marked = new Marked({
  gfm: true,
  renderer: {
    // The page has its own first heading.
    heading({ tokens, depth }) {
      const level = Math.min(depth + 1, 6);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
    // Markup in a document is text to be read: a page as strict as ours would refuse most of it anyway.
    html({ text }) {
      return escaped(text);
    },
  },
});

function escaped(text) {
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character]);
}

const purify = globalThis.DOMPurify;

purify.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName === "A" && node.hasAttribute("href")) {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer");
  }
  if (node.nodeName === "IMG") {
    // The page's policy loads no others.
    if (!/^(https:|data:image\/)/i.test(node.getAttribute("src") ?? "")) node.removeAttribute("src");
    if (!node.hasAttribute("alt")) node.setAttribute("alt", "");
    node.setAttribute("loading", "lazy");
    node.setAttribute("referrerpolicy", "no-referrer");
  }
  // A task list shows what is done, and nobody can tick it here.
  if (node.nodeName === "INPUT") {
    node.setAttribute("disabled", "");
    node.setAttribute("aria-label", node.hasAttribute("checked") ? "done" : "to do");
  }
});

const SETTINGS = {
  // What Markdown can say, and nothing else.
  ALLOWED_TAGS: ["a", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "h5", "h6", "hr", "img", "input", "li", "ol", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"],
  ALLOWED_ATTR: ["align", "alt", "checked", "disabled", "href", "src", "start", "title", "type"],
  RETURN_TRUSTED_TYPE: true,
};

/** Fills `element` with what `markdown` says. */
export function render(element, markdown) {
  element.innerHTML = purify.sanitize(marked.parse(markdown), SETTINGS);
}

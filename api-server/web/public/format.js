// Keys that put Markdown around what is selected: Ctrl or ⌘ with B, I or K.

const MARKS = { b: ["**", "**"], i: ["_", "_"], k: ["[", "](https://)"] };

/** Handles a key in `field`, if it is one of ours. The browser's own undo knows of the change. */
export function shortcut(event, field) {
  const marks = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && MARKS[event.key];
  if (!marks) return;
  event.preventDefault();
  const [before, after] = marks;
  const { selectionStart: start, selectionEnd: end } = field;
  const selected = field.value.slice(start, end);
  // Deprecated for rich text; for fields it is the one way that keeps undo.
  document.execCommand("insertText", false, before + selected + after);
  field.setSelectionRange(start + before.length, end + before.length);
}

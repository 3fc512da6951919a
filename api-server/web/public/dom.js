// Elements made by hand: text stays text, so nothing a document says becomes markup.

/**
 * An element. `on…` members listen, `value` and `disabled` are properties, all others attributes; what is `undefined`,
 * `null` or `false` is left out, among children too.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "disabled") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** A date as people say it, with the exact one for machines. */
export function when(iso) {
  const date = new Date(iso);
  return h("time", { datetime: iso, title: date.toLocaleString() }, spoken(date));
}

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

function spoken(date) {
  const seconds = (date.getTime() - Date.now()) / 1_000;
  const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  if (!unit) return "just now";
  if (Math.abs(seconds) >= 7 * 86_400) return date.toLocaleDateString(undefined, { dateStyle: "medium" });
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  return format.format(Math.round(seconds / unit[1]), unit[0]);
}

/** `1 change`, `2 changes`. */
export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Foreign text in messages. @module */

/**
 * The first characters of a text that came from elsewhere, in quotation marks. Whatever a terminal might act on (escape
 * codes, line ends, marks of direction) is shown as JSON escapes it, and what is cut off is marked.
 */
export function quoted(text: string, length = 60): string {
  const start = [...text.slice(0, 2 * length)].slice(0, length).join("");
  return JSON.stringify(start).replace(unprintable, escaped) + (start.length < text.length ? "…" : "");
}

/** A sentence that came from elsewhere: cut to `length` characters, and without what a terminal might act on. */
export function printable(text: string, length = 2000): string {
  return (text.length > length ? `${text.slice(0, length)}…` : text).replace(unprintable, escaped);
}

/** Control characters, marks of direction, lone surrogates, unassigned code points; ends of lines and paragraphs. */
const unprintable = /[\p{C}\u2028\u2029]/gu;

function escaped(character: string): string {
  return character === "\n" ? "\n" : [...character].map((one) => `\\u{${one.codePointAt(0)!.toString(16)}}`).join("");
}

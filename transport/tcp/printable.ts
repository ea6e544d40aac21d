/** Text that came over the network, made fit for error messages. @module */

/**
 * The first `length` characters of a text, in quotation marks. Whatever a terminal might act on (escape codes, line ends,
 * marks of direction) is shown as JSON escapes it; where the text is cut, "…" follows.
 */
export function quoted(text: string, length = 60): string {
  const start = [...text.slice(0, 2 * length)].slice(0, length).join("");
  return JSON.stringify(start).replace(unprintable, escaped) + (start.length < text.length ? "…" : "");
}

/** A text without quotation marks, cut to `length` characters; whatever a terminal might act on is escaped. */
export function printable(text: string, length = 2000): string {
  return (text.length > length ? `${text.slice(0, length)}…` : text).replace(unprintable, escaped);
}

/** Control characters, marks of direction, lone surrogates, unassigned code points; ends of lines and paragraphs. */
const unprintable = /[\p{C}\u2028\u2029]/gu;

function escaped(character: string): string {
  return character === "\n" ? "\n" : [...character].map((one) => `\\u{${one.codePointAt(0)!.toString(16)}}`).join("");
}

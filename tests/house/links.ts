/** Relative links in Markdown lead to files that are there, and to headings that these have. @module */

import { type Finding, lineOf, resolve, type Tree } from "./tree.ts";

/** Markdown without what stands in fences and code spans, which holds no links. */
const prose = (text: string) =>
  text.replace(/^( *)(```+|~~~+)[^]*?^\1\2$|(`+)(?!`)[^]*?(?<!`)\3(?!`)/gm, (code) => code.replace(/[^\n]/g, " "));

/** The anchors of a document's headings, as GitHub makes them: small letters, no punctuation, hyphens for spaces. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>(), fenced = text.replace(/^( *)(```+|~~~+)[^]*?^\1\2$/gm, "");
  for (const [, title] of fenced.matchAll(/^#{1,6} +(.*?) *#*$/gm)) {
    const plain = title!.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "").replaceAll(" ", "-");
    let name = slug;
    for (let n = 1; anchors.has(name); n++) name = `${slug}-${n}`;
    anchors.add(name);
  }
  for (const [, id] of fenced.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id!);
  return anchors;
}

export function* links(tree: Tree): Generator<Finding> {
  const folders = new Set(
    [...tree.keys()].flatMap((path) => [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index))),
  );
  const link = /\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s*(\S+)|\b(?:src|href)="([^"]+)"/gm;
  for (const [file, text] of tree) {
    if (!file.endsWith(".md")) continue;
    for (const { index, 1: inline, 2: reference, 3: html } of prose(text).matchAll(link)) {
      const to = (inline ?? reference ?? html)!, line = lineOf(text, index);
      if (/^[a-z]+:/i.test(to)) continue;
      const [path, anchor] = to.split("#") as [string, string?];
      const target = path === "" ? file : resolve(file, path), there = tree.get(target);
      if (there === undefined && !folders.has(target.replace(/\/$/, ""))) {
        yield { file, line, says: `links to ${to}, expected the path of a file in the project` };
      } else if (anchor !== undefined && !anchorsOf(there ?? "").has(anchor)) {
        yield { file, line, says: `links to ${to}, expected the anchor of a heading in ${target}` };
      }
    }
  }
}

/**
 * What a TypeScript file imports and exports, read from its text. The project's formatting is taken for granted:
 * statements of the top level begin in the first column, and strings have double quotes. @module
 */

import { lineOf, resolve, type Tree } from "./tree.ts";

/** One import or re-export of another file of the tree. */
export interface Import {
  readonly line: number;
  /** The path of the file that is imported, or the name of a package. */
  readonly from: string;
  /** The exports that are taken, by their names there; "*" for whatever there is. */
  readonly names: readonly string[];
  /** Under which names the file exports them in turn, in the same order; "*" for the same names. */
  readonly reexports?: readonly string[];
  /** A file that is started by its address, as a worker is: no import that the module graph knows. */
  readonly address?: true;
}

/** One name that a file itself declares and exports. */
export interface Export {
  readonly line: number;
  readonly name: string;
  /** A type has no value at run time, a class has, and can be a type as well. */
  readonly kind: "type" | "class" | "value";
}

/** A TypeScript file as the rules see it. */
export interface Source {
  /** The text with spaces in place of comments and of the texts in template literals. */
  readonly code: string;
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
}

/** The files that users import, by the names under which they do: `@gradwire/tfjs/compressors`. */
export function entriesOf(tree: Tree): ReadonlyMap<string, string> {
  const { name = "", exports = {} } = JSON.parse(tree.get("deno.json") ?? "{}");
  return new Map(Object.entries<string>(exports).map(([entry, path]) => [name + entry.slice(1), path.slice(2)]));
}

/** The sources of a tree: its TypeScript files, but for those in AssemblyScript. */
export function sourcesOf(tree: Tree): ReadonlyMap<string, Source> {
  const known = sources.get(tree);
  if (known !== undefined) return known;
  const found = new Map<string, Source>(), entries = entriesOf(tree);
  for (const [path, text] of tree) {
    if (path.endsWith(".ts") && !path.startsWith("wasm/assembly/")) {
      found.set(path, sourceOf(text, (name) => name.startsWith(".") ? resolve(path, name) : entries.get(name) ?? name));
    }
  }
  sources.set(tree, found);
  return found;
}

const sources = new WeakMap<Tree, ReadonlyMap<string, Source>>();

/** The names in the braces of an import or export: `{ a, type b as c }` gives [["a", "a"], ["b", "c"]]. */
function namesIn(list: string): [there: string, here: string][] {
  const items = list.replace(/^[^{]*\{|\}[^}]*$/g, "").split(",").map((item) => item.trim().replace(/^type\s+/, ""));
  return items.filter((item) => item !== "").map((item) => {
    const [there, here = there] = item.split(/\s+as\s+/) as [string, string?];
    return [there, here];
  });
}

const kinds: Readonly<Record<string, Export["kind"]>> = { interface: "type", type: "type", class: "class" };

/** Reads one file. `target` gives the path, or the package, that a name in an import means. */
function sourceOf(text: string, target: (name: string) => string): Source {
  const code = withoutComments(text), imports: Import[] = [], exports: Export[] = [];
  /** What local names stand for in the files that they come from. */
  const locals = new Map<string, [from: string, name: string]>();
  for (const match of code.matchAll(/^(import|export)\b([^"';=()]*?)\bfrom\s*"([^"]+)"/gm)) {
    const [, word, list, name] = match as unknown as [string, string, string, string];
    const line = lineOf(text, match.index), from = target(name), whole = /\*(?:\s+as\s+(\w+))?/.exec(list);
    if (word === "import" && whole !== null) {
      imports.push({ line, from, names: membersOf(code, whole[1]!) });
    } else if (whole !== null) {
      imports.push({ line, from, names: ["*"], ...(whole[1] === undefined && { reexports: ["*"] }) });
      if (whole[1] !== undefined) exports.push({ line, name: whole[1], kind: "value" });
    } else {
      const pairs = list.includes("{") ? namesIn(list) : [],
        alone = /^(?:\s+type)?\s+(\w+)\s*(?:,|$)/.exec(list.trimEnd());
      if (alone !== null && alone[1] !== "type") pairs.push(["default", alone[1]!]);
      const names = pairs.map(([there]) => there);
      if (word === "import") { for (const [there, here] of pairs) locals.set(here, [from, there]); }
      imports.push({ line, from, names, ...(word === "export" && { reexports: pairs.map(([, here]) => here) }) });
    }
  }
  const others: [pattern: RegExp, also: Partial<Import>][] = [
    [/^import\s*"([^"]+)"/gm, { names: [] }],
    [/\bimport\(\s*"([^"]+)"/g, { names: ["*"] }],
    [/\bnew URL\(\s*"(\.[^"]+\.ts)",\s*import\.meta\.url/g, { names: [], address: true }],
    [/\bimport\.meta\.resolve\(\s*"(\.[^"]+\.ts)"/g, { names: [], address: true }],
  ];
  for (const [pattern, also] of others) {
    for (const { index, 1: name } of code.matchAll(pattern)) {
      imports.push({ line: lineOf(text, index), from: target(name!), names: [], ...also });
    }
  }
  const declared =
    /^export\s+(?:declare\s+)?(?:(?:async\s+)?(?:abstract\s+)?(function\*?|class|const|let|interface|type|enum)\s+(\w+)|default\b|(?:type\s+)?\{([^}]*)\}\s*;)/gm;
  for (const { index, 1: kind, 2: name, 3: list } of code.matchAll(declared)) {
    const line = lineOf(text, index);
    if (list === undefined) exports.push({ line, name: name ?? "default", kind: kinds[kind!] ?? "value" });
    for (const [there, here] of namesIn(list ?? "")) {
      const [from, original] = locals.get(there) ?? [];
      if (from === undefined) exports.push({ line, name: here, kind: "value" });
      else imports.push({ line, from, names: [original!], reexports: [here] });
    }
  }
  return { code, imports, exports };
}

/** What a file uses of a module that it imports whole, as `name`: its members, or "*" where the module goes elsewhere. */
function membersOf(code: string, name: string): string[] {
  const uses = [...code.matchAll(new RegExp(`(?<![\\w.$]|\\*\\s+as\\s+)${name}\\b(?:\\.(\\w+))?`, "g"))];
  return uses.some(([, member]) => member === undefined) ? ["*"] : uses.map(([, member]) => member!);
}

/** A token after which a slash begins a regular expression and is no division. */
const beforeRegExp = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|of|in|void|yield|await))$/;
const token =
  /\/\/.*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*|[`{}]|\w+|[^\s]/gy;

/** A text with spaces in place of comments and of what template literals say; what stands in `${…}` is kept. */
function withoutComments(text: string): string {
  const out: string[] = [], blank = (part: string) => part.replace(/[^\n]/g, " ");
  /** For each template literal that is open: how many braces are open in its `${…}`. */
  const open: number[] = [];
  let at = 0, before = "";
  const template = () => {
    const end = /(?:\\[^]|\$(?!\{)|[^\\`$])*(`|\$\{|$)/y;
    end.lastIndex = at;
    const [part, how] = end.exec(text)!;
    out.push(blank(part.slice(0, part.length - how!.length)), how!);
    at += part.length;
    if (how === "${") open.push(0);
    before = how === "${" ? "{" : "`";
  };
  while (at < text.length) {
    const space = /\s*/y;
    space.lastIndex = at;
    const gap = space.exec(text)![0];
    out.push(gap);
    at += gap.length;
    token.lastIndex = at;
    let found = token.exec(text)?.[0];
    if (found === undefined) break;
    if (/^\/[^/*]/.test(found) && !beforeRegExp.test(before)) found = "/";
    at += found.length;
    if (/^\/[/*]/.test(found)) {
      out.push(blank(found));
      continue;
    }
    out.push(found);
    before = found;
    if (found === "`") template();
    else if (found === "{" && open.length > 0) open[open.length - 1]!++;
    else if (found === "}" && open.length > 0 && open[open.length - 1]!-- === 0) {
      open.pop();
      template();
    }
  }
  return out.join("");
}

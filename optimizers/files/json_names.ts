/**
 * Finds the first name that an object in a JSON text has twice; undefined if there is none. `JSON.parse` does not tell:
 * it keeps the last member of that name and drops the others.
 *
 * @param text what `JSON.parse` has accepted
 */
export function repeatedName(text: string): string | undefined {
  // For each object that is open the names met so far; undefined for each open array.
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(undefined);
    else if (character === "}" || character === "]") open.pop();
    if (character !== '"') continue;
    const start = i++;
    while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
    let next = i + 1;
    while (/\s/.test(text[next] ?? "")) next++;
    // A string is a name where a colon follows it.
    if (text[next] !== ":") continue;
    const name = JSON.parse(text.slice(start, i + 1)) as string, names = open.at(-1)!;
    if (names.has(name)) return name;
    names.add(name);
  }
  return undefined;
}

/** Huffman trees. @module */

/** A binary tree whose leaves are the symbols. Its nodes are numbered, the root first. */
export interface HuffmanTree {
  /** The children of node n, at 2n and 2n + 1: the number of a node, or for the leaf of symbol s the complement −1 − s. */
  readonly children: Int16Array;
  /** The way from the root to the leaf of each symbol: a bit for each decision, the first one lowest. */
  readonly paths: Int32Array;
}

/** The tree whose mean path is shortest for symbols of these weights. Of equally light nodes the earlier one is merged first. */
export function huffman(weights: Float64Array): HuffmanTree {
  interface Node {
    weight: number;
    leaf: number;
    zero?: Node;
    one?: Node;
  }
  const open: Node[] = [...weights].map((weight, leaf) => ({ weight, leaf }));
  const lightest = () => {
    let at = 0;
    for (let i = 1; i < open.length; i++) if (open[i]!.weight < open[at]!.weight) at = i;
    return open.splice(at, 1)[0]!;
  };
  while (open.length > 1) {
    const one = lightest(), zero = lightest();
    open.push({ weight: zero.weight + one.weight, leaf: -1, zero, one });
  }
  const children: number[] = [], paths = new Int32Array(weights.length);
  const number = (node: Node, path: number, depth: number): number => {
    if (node.zero === undefined || node.one === undefined) {
      paths[node.leaf] = path;
      return ~node.leaf;
    }
    const at = children.length;
    children.push(0, 0);
    children[at] = number(node.zero, path, depth + 1);
    children[at + 1] = number(node.one, path | 1 << depth, depth + 1);
    return at / 2;
  };
  number(open[0]!, 0, 0);
  return { children: Int16Array.from(children), paths };
}

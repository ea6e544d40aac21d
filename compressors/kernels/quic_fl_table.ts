/**
 * The rounding of QUIC-FL. For each number sender and receiver know a shared random number h, which picks a row of a table
 * of values. Given h, the sender chooses one of two neighbouring symbols of that row with randomness of its own, such that
 * the mean of the value over both is the number. So the result is unbiased for every number.
 *
 * Source: Ben Basat, Vargaftik, Portnoy, Einziger, Ben-Itzhak, Mitzenmacher: "QUIC-FL", arXiv:2205.13341.
 *
 * @module
 */

/**
 * The receiver's values, and how the sender finds a symbol. A node assigns a symbol to each h; the mean over h of their
 * values is the node's own value. From one node to the next the symbol of a single h rises by one. A number between two
 * nodes is sent as one of them, drawn so that the mean is the number.
 */
export interface QuicFlTable {
  /** How many values the shared random number h may have: a power of two up to 256. */
  readonly rows: number;
  /** The receiver's value of symbol x given h, at h · (number of symbols) + x. */
  readonly values: Float64Array;
  /** The values of the nodes, ascending. Numbers beyond the first and the last cannot be sent as symbols. */
  readonly nodes: Float64Array;
  /** stepOf[i] is the h whose symbol rises from node i to node i + 1. */
  readonly stepOf: Uint8Array;
  /** The symbol of each h at each node i, at i · rows + h. */
  readonly symbols: Uint8Array;
  /** The range from −4 to 4 is cut into cells of 1/32; for each the last node that is at most its lower end. */
  readonly start: Uint16Array;
}

/**
 * The table of 2^bits symbols whose first half of rows is `half`; the other half mirrors it. The steps from node to node are
 * in the order of their midpoints, as in benches/tools/solve_quantizers.ts, which computes the values.
 */
export function quicFlTable(bits: number, rows: number, half: readonly number[]): QuicFlTable {
  const count = 2 ** bits, values = Float64Array.from([...half, ...half.map((v) => -v).reverse()]);
  const steps: { middle: number; row: number; gap: number }[] = [];
  for (let j = 0; j < values.length; j++) {
    if (j % count === count - 1) continue;
    const row = Math.floor(j / count), low = values[j]!, high = values[j + 1]!;
    steps.push({ middle: low + high, row, gap: (high - low) / rows });
  }
  steps.sort((a, b) => a.middle - b.middle || a.row - b.row);
  const nodes = new Float64Array(steps.length + 1), symbols = new Uint8Array(nodes.length * rows);
  for (let row = 0; row < rows; row++) nodes[0]! += values[row * count]! / rows;
  steps.forEach(({ row, gap }, i) => {
    nodes[i + 1] = nodes[i]! + gap;
    for (let h = 0; h < rows; h++) symbols[(i + 1) * rows + h] = symbols[i * rows + h]! + (h === row ? 1 : 0);
  });
  const start = new Uint16Array(256).map((_, cell) =>
    nodes.findLastIndex((node, i) => i === 0 || node <= cell / 32 - 4)
  );
  return { rows, values, nodes, stepOf: Uint8Array.from(steps, ({ row }) => row), symbols, start };
}

/**
 * codes[i] := the symbol for data[i], where h is the lower bits of shared[i] and the sender's own randomness is the word that
 * codes[i] held. Numbers beyond the table get code 0 and their indices are written to `outliers`; returns how many.
 */
export function quicFlEncode(
  data: Float32Array,
  { rows, nodes, stepOf, symbols, start }: QuicFlTable,
  shared: Uint8Array,
  codes: Uint32Array,
  outliers: Uint16Array,
): number {
  const last = nodes.length - 1, least = nodes[0]!, most = nodes[last]!;
  let count = 0;
  for (let i = 0; i < codes.length; i++) {
    const z = data[i]!, h = shared[i]! & (rows - 1);
    if (!(least <= z && z <= most)) {
      outliers[count++] = i;
      codes[i] = 0;
      continue;
    }
    let node = start[(z * 32 + 128) | 0]!;
    while (node < last - 1 && nodes[node + 1]! <= z) node++;
    const low = nodes[node]!, symbol = symbols[node * rows + h]!;
    const up = stepOf[node] === h && codes[i]! * 2 ** -32 * (nodes[node + 1]! - low) < z - low;
    codes[i] = up ? symbol + 1 : symbol;
  }
  return count;
}

/** data[i] := the value of symbol codes[i] in the row that shared[i] picks. */
export function quicFlDecode(
  codes: Uint32Array,
  { rows, values }: QuicFlTable,
  shared: Uint8Array,
  data: Float32Array,
): void {
  const count = values.length / rows;
  for (let i = 0; i < codes.length; i++) data[i] = values[(shared[i]! & (rows - 1)) * count + codes[i]!]!;
}

/**
 * Kernels that run inside the memory of tfjs's wasm backend, in AssemblyScript. build.ts compiles this file to
 * ../binary.ts. Pointers and strides are in bytes, matrices are float32 and stored row by row, and nothing is
 * allocated.
 */

/** Columns of a tile of C, and of the panel that a part of B is copied into to stay in the first-level cache. */
const WIDTH: i32 = 8;

/** Rows of a panel: 384 · 8 floats are 12 KiB. */
const DEPTH: i32 = 384;

/**
 * Computes C = A · B + bias. A is m × k, or k × m if `transposeA`; B is k × n, or n × k if `transposeB`; `bias` points
 * to n numbers, or is 0. `scratch` points to 12 416 bytes: 4 · 8 numbers for a tile at the edge of C and 384 · 8 for
 * the panel. Every number of C is summed in the order of k, starting from its bias, so that all four forms give the
 * same bits.
 */
export function matmul(
  a: usize,
  b: usize,
  bias: usize,
  c: usize,
  m: i32,
  k: i32,
  n: i32,
  transposeA: bool,
  transposeB: bool,
  scratch: usize,
): void {
  const row: usize = transposeA ? 4 : <usize>k << 2;
  const step: usize = transposeA ? <usize>m << 2 : 4;
  const stride = <usize>n << 2;
  const edge = scratch, panel = scratch + 128;
  const started = bias != 0 || k == 0;
  if (started) start(c, bias, m, stride);
  for (let j = 0; j < n; j += WIDTH) {
    const rest = min(WIDTH, n - j);
    for (let p = 0; p < k; p += DEPTH) {
      const depth = min(DEPTH, k - p);
      if (transposeB) packTransposed(b + (((<usize>j) * k + p) << 2), panel, depth, rest, <usize>k << 2);
      else pack(b + (((<usize>p) * n + j) << 2), panel, depth, rest, stride);
      const add = started || p > 0;
      let from = a + <usize>p * step, to = c + (<usize>j << 2);
      for (let i = 0; i < m;) {
        const rows = m - i < 4 ? 1 : 4;
        if (rest == WIDTH) {
          if (rows == 4) tile4(from, row, step, panel, depth, to, stride, add);
          else tile1(from, step, panel, depth, to, add);
        } else {
          if (add) copy(to, stride, edge, 32, rows, rest);
          if (rows == 4) tile4(from, row, step, panel, depth, edge, 32, add);
          else tile1(from, step, panel, depth, edge, add);
          copy(edge, 32, to, stride, rows, rest);
        }
        i += rows;
        from += <usize>rows * row;
        to += <usize>rows * stride;
      }
    }
  }
}

/** Fills the rows of C with the bias, or with zeros. */
function start(c: usize, bias: usize, m: i32, stride: usize): void {
  for (let i = 0; i < m; i++, c += stride) {
    for (let q: usize = 0; q < stride; q += 4) store<f32>(c + q, bias ? load<f32>(bias + q) : 0);
  }
}

/** Copies a small block from one matrix to another. */
function copy(from: usize, fromStride: usize, to: usize, toStride: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++, from += fromStride, to += toStride) {
    for (let q: usize = 0; q < <usize>columns << 2; q += 4) store<f32>(to + q, load<f32>(from + q));
  }
}

/** Copies `rest` ≤ 8 columns of `depth` rows into a panel of 8 columns, and fills up the others with zeros. */
function pack(b: usize, panel: usize, depth: i32, rest: i32, stride: usize): void {
  if (rest == WIDTH) {
    for (let p = 0; p < depth; p++, b += stride, panel += 32) {
      v128.store(panel, v128.load(b));
      v128.store(panel, v128.load(b, 16), 16);
    }
  } else {
    for (let p = 0; p < depth; p++, b += stride, panel += 32) {
      for (let q = 0; q < WIDTH; q++) store<f32>(panel + (q << 2), q < rest ? load<f32>(b + (q << 2)) : 0);
    }
  }
}

/** Copies `rest` ≤ 8 rows of `depth` numbers into the columns of a panel of 8, and fills up the others with zeros. */
function packTransposed(b: usize, panel: usize, depth: i32, rest: i32, stride: usize): void {
  let p = 0;
  if (rest == WIDTH) {
    for (; p + 4 <= depth; p += 4, b += 16, panel += 128) {
      transpose4(b, stride, panel);
      transpose4(b + 4 * stride, stride, panel + 16);
    }
  }
  for (; p < depth; p++, b += 4, panel += 32) {
    for (let q = 0; q < WIDTH; q++) store<f32>(panel + (q << 2), q < rest ? load<f32>(b + <usize>q * stride) : 0);
  }
}

/** Transposes a block of 4 × 4 into rows that are 32 bytes apart. */
// @ts-ignore: decorator
@inline
function transpose4(b: usize, stride: usize, to: usize): void {
  const r0 = v128.load(b), r1 = v128.load(b + stride);
  const r2 = v128.load(b + 2 * stride), r3 = v128.load(b + 3 * stride);
  const low0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), high0 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const low1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5), high1 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(low0, low1, 0, 2));
  v128.store(to, v128.shuffle<f64>(low0, low1, 1, 3), 32);
  v128.store(to, v128.shuffle<f64>(high0, high1, 0, 2), 64);
  v128.store(to, v128.shuffle<f64>(high0, high1, 1, 3), 96);
}

/** Computes a tile of four rows and eight columns, which stays in eight registers. */
function tile4(a: usize, row: usize, step: usize, panel: usize, k: i32, c: usize, stride: usize, add: bool): void {
  let a1 = a + row, a2 = a1 + row, a3 = a2 + row;
  const c1 = c + stride, c2 = c1 + stride, c3 = c2 + stride;
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  if (add) {
    c00 = v128.load(c), c01 = v128.load(c, 16);
    c10 = v128.load(c1), c11 = v128.load(c1, 16);
    c20 = v128.load(c2), c21 = v128.load(c2, 16);
    c30 = v128.load(c3), c31 = v128.load(c3, 16);
  }
  for (let p = 0; p < k; p++, panel += 32) {
    const b0 = v128.load(panel), b1 = v128.load(panel, 16);
    let s = v128.load_splat<f32>(a);
    c00 = f32x4.add(c00, f32x4.mul(s, b0)), c01 = f32x4.add(c01, f32x4.mul(s, b1));
    s = v128.load_splat<f32>(a1);
    c10 = f32x4.add(c10, f32x4.mul(s, b0)), c11 = f32x4.add(c11, f32x4.mul(s, b1));
    s = v128.load_splat<f32>(a2);
    c20 = f32x4.add(c20, f32x4.mul(s, b0)), c21 = f32x4.add(c21, f32x4.mul(s, b1));
    s = v128.load_splat<f32>(a3);
    c30 = f32x4.add(c30, f32x4.mul(s, b0)), c31 = f32x4.add(c31, f32x4.mul(s, b1));
    a += step, a1 += step, a2 += step, a3 += step;
  }
  v128.store(c, c00), v128.store(c, c01, 16);
  v128.store(c1, c10), v128.store(c1, c11, 16);
  v128.store(c2, c20), v128.store(c2, c21, 16);
  v128.store(c3, c30), v128.store(c3, c31, 16);
}

/** Computes one row of eight columns: one of those that are left if m is no multiple of four. */
function tile1(a: usize, step: usize, panel: usize, k: i32, c: usize, add: bool): void {
  let c0 = f32x4.splat(0), c1 = c0;
  if (add) c0 = v128.load(c), c1 = v128.load(c, 16);
  for (let p = 0; p < k; p++, a += step, panel += 32) {
    const s = v128.load_splat<f32>(a);
    c0 = f32x4.add(c0, f32x4.mul(s, v128.load(panel)));
    c1 = f32x4.add(c1, f32x4.mul(s, v128.load(panel, 16)));
  }
  v128.store(c, c0), v128.store(c, c1, 16);
}

/** Computes y = √x. */
export function sqrt(x: usize, y: usize, size: i32): void {
  let i = 0;
  for (; i + 4 <= size; i += 4, x += 16, y += 16) v128.store(y, f32x4.sqrt(v128.load(x)));
  for (; i < size; i++, x += 4, y += 4) store<f32>(y, Mathf.sqrt(load<f32>(x)));
}

/**
 * Takes one step of Adam, with the operations of tfjs's separate kernels in their order, so that the bits are equal.
 * Reads the moments, the gradient and the value, and writes new moments and a new value. In step t decay1 is 1 − β₁ and
 * scale1 is 1 − β₁ᵗ, decay2 and scale2 likewise of β₂, and rate is the learning rate with its sign reversed.
 */
export function adam(
  first: usize,
  second: usize,
  gradient: usize,
  value: usize,
  newFirst: usize,
  newSecond: usize,
  newValue: usize,
  size: i32,
  beta1: f32,
  decay1: f32,
  scale1: f32,
  beta2: f32,
  decay2: f32,
  scale2: f32,
  epsilon: f32,
  rate: f32,
): void {
  const b1 = f32x4.splat(beta1), d1 = f32x4.splat(decay1), s1 = f32x4.splat(scale1);
  const b2 = f32x4.splat(beta2), d2 = f32x4.splat(decay2), s2 = f32x4.splat(scale2);
  const e = f32x4.splat(epsilon), r = f32x4.splat(rate);
  const bytes = <usize>size << 2;
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    const g = v128.load(gradient + i);
    const m = f32x4.add(f32x4.mul(v128.load(first + i), b1), f32x4.mul(g, d1));
    const v = f32x4.add(f32x4.mul(v128.load(second + i), b2), f32x4.mul(f32x4.mul(g, g), d2));
    v128.store(newFirst + i, m);
    v128.store(newSecond + i, v);
    const step = f32x4.div(f32x4.div(m, s1), f32x4.add(f32x4.sqrt(f32x4.div(v, s2)), e));
    v128.store(newValue + i, f32x4.add(f32x4.mul(step, r), v128.load(value + i)));
  }
  for (; i < bytes; i += 4) {
    const g = load<f32>(gradient + i);
    const m = load<f32>(first + i) * beta1 + g * decay1;
    const v = load<f32>(second + i) * beta2 + g * g * decay2;
    store<f32>(newFirst + i, m);
    store<f32>(newSecond + i, v);
    store<f32>(newValue + i, m / scale1 / (Mathf.sqrt(v / scale2) + epsilon) * rate + load<f32>(value + i));
  }
}

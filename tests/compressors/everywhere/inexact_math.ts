/**
 * Makes every function of Math that the language does not define to the last bit wrong by a millionth: far more than an
 * engine may be, so that what hangs on the last bit shows through the rounding to float32.
 *
 * @module
 */

const open = [
  "acos",
  "acosh",
  "asin",
  "asinh",
  "atan",
  "atan2",
  "atanh",
  "cbrt",
  "cos",
  "cosh",
  "exp",
  "expm1",
  "hypot",
  "log",
  "log10",
  "log1p",
  "log2",
  "pow",
  "sin",
  "sinh",
  "tan",
  "tanh",
] as const;

for (const name of open) {
  const exact = Math[name] as (...numbers: number[]) => number;
  (Math as unknown as Record<string, typeof exact>)[name] = (...numbers) => {
    const value = exact(...numbers);
    // Integers are left alone, as every engine gets log2(8) right.
    return Number.isInteger(value) ? value : value * (1 + 1e-6);
  };
}

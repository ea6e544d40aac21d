import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { loadDigits, normalize, PIXELS } from "../../../examples/digits/mnist.ts";

Deno.test("the digits: counts, classes and first labels of the published files", async () => {
  const { train, test } = await loadDigits();
  assertEquals([train.images.length, train.labels.length], [60_000 * PIXELS, 60_000]);
  assertEquals([test.images.length, test.labels.length], [10_000 * PIXELS, 10_000]);
  // The opening of the training set is known by heart: 5 0 4 1 9 2 1 3 1 4; of the test set: 7 2 1 0 4 1 4 9 5 9.
  assertEquals([...train.labels.subarray(0, 10)], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  assertEquals([...test.labels.subarray(0, 10)], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  const classes = (labels: Uint8Array) => labels.reduce((n, label) => (n[label]!++, n), new Array<number>(10).fill(0));
  assertEquals(classes(train.labels), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  assertEquals(classes(test.labels), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  // Mean ink over the training set, the 0.1307 that everybody normalises with.
  let sum = 0;
  for (const value of train.images) sum += value;
  assertEquals((sum / 255 / train.images.length).toFixed(4), "0.1307");
});

Deno.test("the digits: a part is the beginning of the whole, and counts are checked", async () => {
  const [part, whole] = [await loadDigits({ train: 7, test: 0 }), await loadDigits({ train: 60_000, test: 1 })];
  assertEquals(part.train.images, whole.train.images.slice(0, 7 * PIXELS));
  assertEquals(part.test.images.length + part.test.labels.length, 0);
  assertEquals(normalize(Uint8Array.of(0, 51, 255)), Float32Array.of(0, 0.2, 1));
  await assertRejects(() => loadDigits({ train: 60_001 }), RangeError, "Cannot load 60001 train digits");
  await assertRejects(() => loadDigits({ test: 1.5 }), RangeError, "from 0 to 10000");
});

Deno.test("the digits: a worker reads them", async () => {
  const source = `
    import { loadDigits } from ${JSON.stringify(new URL("../../../examples/digits/mnist.ts", import.meta.url).href)};
    const { train } = await loadDigits({ train: 3, test: 0 });
    postMessage([...train.labels]);`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(source)}`, { type: "module" });
  try {
    const answer = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
    });
    assertEquals(answer, [5, 0, 4]);
  } finally {
    worker.terminate();
  }
});

import { assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { tf, withStock } from "./stock.ts";

Deno.test("sqrt: the bits of Math.sqrt rounded once, for every length", () => {
  fc.assert(
    fc.property(fc.array(fc.float(), { minLength: 1, maxLength: 19 }), (numbers) => {
      tf.tidy(() => {
        const x = Float32Array.from(numbers);
        assertEquals(tf.sqrt(tf.tensor1d(x)).dataSync(), x.map(Math.sqrt));
      });
    }),
  );
});

Deno.test("sqrt: of whole numbers is what the registered kernel makes of them", () => {
  tf.tidy(() => {
    const x = tf.tensor1d([4, 9], "int32");
    const sqrt = () => tf.engine().runKernel("Sqrt", { x }) as tf.Tensor;
    const ours = sqrt(), stock = withStock(sqrt);
    assertEquals([ours.dtype, ours.dataSync()], [stock.dtype, stock.dataSync()]);
  });
});

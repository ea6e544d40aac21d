import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { contractive, randK, topK } from "../../../compressors/mod.ts";
import { methodsOver, requireMethod } from "../../../optimizers/methods/check_method.ts";
import { average } from "../../../optimizers/mod.ts";

Deno.test("a method is accepted, and what is none is told what to write", () => {
  requireMethod("make warmup", "from", average());
  const says: [given: unknown, words: string][] = [
    [undefined, "Cannot make warmup: from is undefined, expected a method such as average()"],
    [[], "from is an array, expected a method such as average()"],
    [average, "from is the function average, expected what it returns: call it, average(…)"],
    ["average", 'from is "average", expected parseMethod("average")'],
    [topK, "which names a compressor, expected a method: errorFeedback(topK(…)) or average(topK(…))"],
    [topK({ k: 3 }), "from is topK({ k: 3 }), which is a compressor, expected a method: errorFeedback(topK({ k: 3 }))"],
  ];
  for (const [given, words] of says) {
    assertThrows(() => requireMethod("make warmup", "from", given as never), TypeError, words);
  }
});

Deno.test("the methods over a compressor are those of its class", () => {
  assertEquals(methodsOver(topK({ k: 3 })), "errorFeedback(topK({ k: 3 }))");
  assertEquals(methodsOver(randK({ k: 3 })), "average(randK({ k: 3 })) or diana(randK({ k: 3 }))");
  assertEquals(methodsOver(contractive(randK({ k: 3 }))), "errorFeedback(contractive(randK({ k: 3 })))");
});

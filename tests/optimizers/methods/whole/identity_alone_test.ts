import { assertEquals } from "@std/assert/mod.js";
import {
  average,
  errorFeedback,
  type Method,
  perLayer,
  schedule,
  skipSmall,
  warmup,
} from "../../../../optimizers/mod.ts";
import { bucketed, identity, perTensor, randK, topK } from "../../../../compressors/mod.ts";

Deno.test("only methods that leave a lone rank's gradient as it is say so", () => {
  const layout = { names: ["kernel", "bias"], shapes: [[3, 4], [5]], size: 17 }, dense = average();
  const yes: Method[] = [
    dense,
    average(bucketed(identity(), 5)),
    average(perTensor(layout, identity())),
    warmup(average(), { steps: 2 }),
    schedule({ 0: average() }),
    skipSmall(layout, average()),
    perLayer(layout, () => dense),
  ];
  const no: Method[] = [
    average(randK({ ratio: 1 })),
    average(bucketed(randK({ k: 2 }), 5)),
    average(perTensor(layout, () => randK({ k: 2 }))),
    errorFeedback(topK({ ratio: .5 })),
    warmup(errorFeedback(topK({ ratio: .5 })), { steps: 2 }),
    schedule({ 0: average(), 2: average(randK({ k: 2 })) }),
    skipSmall(layout, errorFeedback(topK({ ratio: .5 })), { below: 6 }),
  ];
  assertEquals(yes.map(({ identityAlone }) => identityAlone ?? false), yes.map(() => true));
  assertEquals(no.map(({ identityAlone }) => identityAlone ?? false), no.map(() => false));
});

/** One rank of the test "minimise on real ranks": throws unless it finds what ranks in one thread find, to the bit. */

import { assertEquals } from "@std/assert/mod.js";
import { topK } from "../../compressors/mod.ts";
import {
  average,
  diana,
  doubleSqueeze,
  ef21,
  errorFeedback,
  localSgd,
  marina,
  type Method,
  minimise,
} from "../../optimizers/mod.ts";
import { connect } from "../../transport/mod.ts";
import { rand } from "./lockstep.ts";
import { mini } from "./problems.ts";

using group = await connect();
assertEquals(group.size, mini.constants.ranks);

const methods: (() => Method)[] = [
  () => average(),
  () => errorFeedback(topK({ k: 1 })),
  () => diana(rand(1)),
  () => ef21(topK({ k: 1 })),
  () => marina(rand(1)), // asks for gradients at another point
  () => doubleSqueeze(topK({ k: 1 })),
  () => localSgd({ every: 4 }),
];
for (const make of methods) {
  const options = { rounds: 24, step: .02, seed: 5, every: 4 };
  const alone = minimise(mini, make(), options), real = minimise(mini, make(), { ...options, group });
  assertEquals(real.parameters, alone.parameters, make().name);
  // Where all messages have one length, a rank's bytes are the mean over ranks.
  assertEquals(real.history, alone.history, make().name);
}

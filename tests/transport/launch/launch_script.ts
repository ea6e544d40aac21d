/** What the ranks of launch_test.ts run: meets, sums, then does what its arguments say, on the rank that they name. */

import { connect, handshake, runBlocking } from "../../../transport/mod.ts";
import { launchArgs } from "../../../transport/launch/mod.ts";

const [deed, culprit] = launchArgs(), group = await connect();
const vector = Float32Array.of(group.rank, 1);
group.perform({ op: "allReduce", vector });
if (deed === "sum") console.log(`sum ${vector.join()}\nof %s`, group.size, { list: [1] }, ...launchArgs().slice(2));
if (deed === "differ") {
  try {
    runBlocking(handshake({ size: group.size, seed: Number(culprit) === group.rank ? 8 : 7 }), group);
  } catch (error) {
    console.log((error as Error).message);
  }
} else if (deed === "again") {
  using second = await connect();
  second.perform({ op: "allReduce", vector });
  group.perform({ op: "allReduce", vector });
  if (group.rank === 0) console.log(`again ${vector.join()}`);
} else if (deed === "noise") {
  for (let i = 0; i < 300; i++) console.log("x".repeat(100));
  await new Promise((resolve) => setTimeout(resolve, 50));
} else if (Number(culprit) === group.rank) {
  // "short": it has fewer rounds than the others, and ends.
  if (deed === "throw") throw new RangeError("the deed");
  if (deed === "later") {
    setTimeout(() => {
      throw new RangeError("the late deed");
    }, 20);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
  }
  if (deed === "exit") Deno.exit(7);
  if (deed === "code") Deno.exitCode = 5;
  if (deed === "kill") Deno.kill(Deno.pid, "SIGKILL");
  if (deed === "hang") await new Promise((resolve) => setTimeout(resolve, 60_000));
} else if (deed !== "sum") {
  group.perform({ op: "allReduce", vector }); // the culprit does not come
}
if (deed !== "short" && deed !== "careless") group[Symbol.dispose]();

import { refusals } from "./ranks.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert/mod.js";

const mistakes = [
  [{ size: 4 }, "size differs: 4 on rank 1, 3 on rank 0"],
  [{ timeout: 7000 }, "timeout differs: 7000 on rank 1, 5000 on rank 0"],
  [{ maxMessageBytes: 1000 }, "maxMessageBytes differs: 1000 on rank 1, 1073741824 on rank 0"],
] as const;

Deno.test("tcp tells a rank at once that it does not fit, and the others when the wait is over", async () => {
  for (const [mistake, words] of mistakes) {
    const [host, mistaken] = await refusals({}, { rank: 1, connectTimeout: 60_000, ...mistake });
    assertStringIncludes(mistaken!.message, `Cannot connect: rank 0 turned this rank away: ${words}`);
    assertEquals(mistaken!.rank, 1);
    assertMatch(host!.message, /ranks 1, 2 did not come within 1 s; turned away: 127\.0\.0\.1:\d+: /);
    assertStringIncludes(host!.message, words);
  }
});

Deno.test("tcp fails on all ranks at once, if one does not fit that knows the name of the run", async () => {
  const long = { connectTimeout: 60_000, run: "three ranks" };
  for (const [mistake, words] of mistakes) {
    for (
      const error of await refusals(long, { ...long, rank: 1, ...mistake }, { ...long, rank: 2, connectTimeout: 1000 })
    ) {
      // A rank that comes after the refusal finds nobody.
      if (error.message.includes("Cannot reach rank 0")) continue;
      assertStringIncludes(error.message, words);
      assertEquals(error.rank, 1);
    }
  }
  for (const error of await refusals(long, { ...long, rank: 1 }, { ...long, rank: 1 })) {
    assertStringIncludes(error.message, "rank 1 is taken twice");
    assertEquals(error.rank, 1);
  }
});

Deno.test("tcp turns away a rank that is taken, and says so", async () => {
  const errors = await refusals({}, { rank: 1 }, { rank: 1 });
  assertEquals(
    errors.filter(({ message }) => message.includes("turned this rank away: rank 1 is taken twice")).length,
    1,
  );
  for (const { message, rank } of errors) {
    if (message.includes("turned this rank away")) continue;
    assertMatch(message, /rank 2 did not come within 1 s/);
    assertMatch(message, /rank 1 is taken twice/);
    assertEquals(rank, 2);
  }
});

Deno.test("tcp turns away ranks of another run, says so when the wait is over, and tells nobody its own run", async () => {
  const [host, other] = await refusals(
    { size: 2, run: "secret", connectTimeout: 600 },
    { rank: 1, size: 2, run: "other\x1b[31m" },
  );
  assertStringIncludes(host!.message, "rank 1 did not come within 0.6 s; turned away: 127.0.0.1");
  assertStringIncludes(host!.message, 'it belongs to run "other\\u001b[31m", which is another one');
  assertStringIncludes(other!.message, 'it belongs to run "other\\u001b[31m", which is another one');
  for (const { message } of [host!, other!]) assert(!message.includes("secret") && !message.includes("\x1b"), message);
});

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { average } from "../../optimizers/methods/average.ts";
import { allGather, alone, type Exchange, handshake, runBlocking, runTogether } from "../../transport/mod.ts";
import { canonical } from "../../transport/handshake.ts";

/** The error of every rank: all must throw, and the same. */
function refusal(...facts: Record<string, unknown>[]): string {
  const errors = new Set<string>();
  facts.forEach((_, rank) => {
    // Each rank in turn is the one whose error ends the lockstep.
    const order = [rank, ...facts.keys()].filter((other, i, all) => all.indexOf(other) === i);
    errors.add(assertThrows(() => runTogether(facts.map(handshake)), Error).message);
    const exchanges = facts.map(handshake),
      messages = exchanges.map((exchange) => {
        const { value } = exchange.next();
        return (value as { message: Uint8Array }).message;
      });
    for (const one of order) errors.add(assertThrows(() => exchanges[one]!.next(messages), Error).message);
  });
  assertEquals(errors.size, 1, [...errors].join("\n"));
  return [...errors][0]!;
}

Deno.test("handshake: ranks with equal facts go on, whatever the order of the members", () => {
  runTogether([
    { seed: 1, layout: { names: ["a"], shapes: [[2, 3]] }, method: average() },
    { layout: { shapes: [[2, 3]], names: ["a"] }, method: average(), seed: 1, absent: undefined },
  ].map(handshake));
  using group = alone();
  runBlocking(handshake({ seed: 1 }), group);
});

Deno.test("handshake: every rank names the ranks and the first difference with both values", () => {
  const facts = { seed: 7, size: 3, layout: { names: ["kernel", "bias"], shapes: [[784, 128], [128]] } };
  const differing = (...parts: Record<string, unknown>[]) => refusal(...parts.map((part) => ({ ...facts, ...part })));
  assertEquals(
    differing({}, {}, { seed: 8 }),
    "Cannot train together: seed differs: ranks 0, 1 have 7, rank 2 has 8",
  );
  assertEquals(
    differing({}, { layout: { names: ["kernel", "bias"], shapes: [[784, 64], [64]] }, seed: 9 }),
    "Cannot train together: layout.shapes.0.1 differs: rank 0 has 128, rank 1 has 64",
  );
  assertEquals(
    differing({}, { extra: { a: 1 } }, { extra: [1] }),
    'Cannot train together: extra differs: rank 0 has nothing, rank 1 has {"a":1}, rank 2 has [1]',
  );
  assertEquals(
    differing({ options: { alpha: NaN } }, { options: { alpha: null } }),
    'Cannot train together: options.alpha differs: rank 0 has "NaN", rank 1 has null',
  );
  assertEquals(
    differing({ list: [1] }, { list: [1, 2] }),
    "Cannot train together: list.1 differs: rank 0 has nothing, rank 1 has 2",
  );
});

Deno.test("handshake: what is no handshake is refused by name, long values are cut", () => {
  function* other(bytes: number[]): Exchange {
    yield* allGather(Uint8Array.from(bytes));
  }
  for (const bytes of [[], [0xff, 0xfe], [123]]) {
    assertThrows(
      () => runTogether([handshake({}), other(bytes)]),
      Error,
      `Cannot train together: rank 1 sent ${bytes.length} bytes that are no handshake`,
    );
  }
  const message = refusal({ note: "x".repeat(100_000) }, { note: "y" });
  assertEquals(message.length < 400, true);
});

Deno.test("canonical: equal for equal values in any order, different for different ones", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assertEquals(canonical(JSON.parse(canonical(value))), canonical(value));
      assertStrictEquals(canonical(reversed(value)), canonical(value));
    }),
    { seed: 1 },
  );
  assertEquals(
    canonical({ b: [-0, Infinity, 10n], a: Float32Array.of(0.5), c: () => 1, d: undefined }),
    '{"a":[0.5],"b":["-0","Infinity","10"]}',
  );
});

/** The same with members in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([name, member]) => [name, reversed(member)]));
}

Deno.test("handshake: golden bytes", () => {
  const { value } = handshake({ seed: 7, size: 2 }).next();
  assertEquals(
    new TextDecoder().decode((value as { message: Uint8Array }).message),
    '{"gradwire":1,"seed":7,"size":2}',
  );
});

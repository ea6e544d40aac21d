/** Are the replicas equal? Digests of all that every rank must hold alike. @module */

import { canonical } from "../../../transport/handshake.ts";
import type { Exchange } from "../../../transport/round.ts";
import { compareFacts } from "./compare.ts";
import { digest } from "../../files/digest.ts";
import { numbersOf } from "../variables/numbers.ts";
import type { Vectors } from "../../methods/method.ts";
import type { Optimizer, Tensor, Variable } from "../variables/tfjs.ts";
import { slotsByName } from "../undo.ts";

/** Digests of the weights by position, of the inner optimizer's slots and of a method's shared state by name. */
export interface Replica {
  /** The variables that are trained. */
  readonly variable: readonly string[];
  /** The inner optimizer's slots. */
  readonly slot: Readonly<Record<string, string>>;
  /** What the method holds alike on all ranks. */
  readonly state: Readonly<Record<string, string>>;
}

/** The digests of a replica as it is now. Reading a million numbers takes about 4 ms. */
export function replicaOf(variables: readonly Variable[], inner: Optimizer, shared: Vectors): Replica {
  return { variable: variables.map(digestOf), slot: slotDigests(inner), state: digestsOf(shared) };
}

/** A digest of each slot of a tfjs optimizer. */
export function slotDigests(inner: Optimizer): Record<string, string> {
  return Object.fromEntries(slotsByName(inner).map(([name, variable]) => [name, digestOf(variable)]));
}

/** One digest of facts: equal facts, equal digest. */
export function hashOf(facts: unknown): string {
  return digest().text(canonical(facts)).hex();
}

/** Compares replicas among ranks. Throws on all of them where they differ, naming what differs and on which ranks. */
export function* compareReplicas(what: string, replica: Replica, names: readonly string[]): Exchange {
  const { variable, slot, state } = replica;
  const named = (kind: string, digests: Readonly<Record<string, string>>) =>
    Object.entries(digests).map(([name, digest]) => [`${kind} ${name}`, digest]);
  try {
    yield* compareFacts(what, {
      variable,
      ...Object.fromEntries([...named("the inner optimizer's slot", slot), ...named("the method's shared", state)]),
    }, "The replicas have drifted apart: restore a checkpoint on all ranks");
  } catch (error) {
    // Each rank has its own names for the variables.
    if (error instanceof Error) {
      error.message = error.message.replace(/variable\.(\d+)/, (_, i) => `variable ${i} (${names[Number(i)]})`);
    }
    throw error;
  }
}

function digestsOf(vectors: Vectors): Record<string, string> {
  return Object.fromEntries(
    Object.entries(vectors).map(([name, { buffer, byteOffset, byteLength }]) => [
      name,
      digest().bytes(new Uint8Array(buffer, byteOffset, byteLength)).hex(),
    ]),
  );
}

function digestOf(tensor: Tensor): string {
  const { buffer, byteOffset, byteLength } = numbersOf(tensor);
  return digest().bytes(new Uint8Array(buffer, byteOffset, byteLength)).hex();
}

import { checkInteger, checkOptions, show } from "../../../options.ts";
import { fold } from "../../../random.ts";
import { relay } from "../../../transport/round.ts";
import { average } from "../average.ts";
import { requireLayout, type TensorOfLayout } from "../../../compressors/layout.ts";
import { requireMethod } from "../check_method.ts";
import {
  commit,
  copyOf,
  derive,
  joinStates,
  partOf,
  partOfWorkspace,
  refuseGradient,
  requireGradient,
} from "../parts/inner_method.ts";
import type { Context, Exchange, Keys, Layout, Method } from "../method.ts";

/**
 * A method for each tensor of the model. All tensors for which `choose` returns one and the same object are one vector
 * to that method, so that a step has the exchanges of as many methods as `choose` returns objects.
 *
 * Memory and messages per step: those of the methods, on their tensors. Step size: the least of the methods' step
 * sizes, each for as many numbers as its tensors have; none where a method has none.
 *
 * @param layout the model's parameters, `layoutOf(model.trainableWeights)`
 * @param choose the method for a tensor
 * @throws {TypeError} if a method owns the update or asks for gradients at other points
 * @throws {RangeError} at the first step, if the model has a different layout
 *
 * @example
 * ```ts
 * import { average, errorFeedback, perLayer } from "@gradwire/tfjs/optimizers";
 * import { topK } from "@gradwire/tfjs/compressors";
 * const layout = { names: ["kernel", "bias"], shapes: [[100, 10], [10]], size: 1010 };
 * const dense = average(), sparse = errorFeedback(topK({ ratio: .01 }));
 * const method = perLayer(layout, ({ shape }) => shape.length > 1 ? sparse : dense);
 * console.assert(method.init(layout).local["0.error"]!.length === 1000);
 * ```
 */
export function perLayer(layout: Layout, choose: (layer: TensorOfLayout) => Method): Method {
  requireLayout("make perLayer", layout);
  if (typeof choose !== "function") {
    throw new TypeError(`Cannot make perLayer: choose is ${show(choose)}, expected a function that returns a method`);
  }
  return layered("perLayer", layout, choose, {});
}

/** Options of {@linkcode skipSmall}. */
export interface SkipSmallOptions {
  /** Tensors with fewer numbers are averaged uncompressed. Default 1024. */
  readonly below?: number;
}

/**
 * Leaves small tensors (biases, scales) uncompressed: they cost few bytes, and compression hurts them most.
 *
 * Memory and messages per step: the method's on the large tensors, and one all-reduce of the small ones. Step size: the
 * method's for as many numbers as the large tensors have.
 *
 * @param layout the model's parameters, `layoutOf(model.trainableWeights)`
 * @param method the method for the large tensors
 * @throws {TypeError} if the method owns the update
 * @throws {RangeError} if `below` is not an integer ≥ 0
 *
 * @example
 * ```ts
 * import { errorFeedback, skipSmall } from "@gradwire/tfjs/optimizers";
 * import { topK } from "@gradwire/tfjs/compressors";
 * const layout = { names: ["kernel", "bias"], shapes: [[100, 20], [20]], size: 2020 };
 * const method = skipSmall(layout, errorFeedback(topK({ ratio: .01 })));
 * console.assert(method.init(layout).local["0.error"]!.length === 2000);
 * ```
 */
export function skipSmall(layout: Layout, method: Method, options: SkipSmallOptions = {}): Method {
  requireLayout("make skipSmall", layout);
  requireMethod("make skipSmall", "method", method);
  const { below = 1024 } = checkOptions("make skipSmall", options, ["below"]);
  checkInteger("make skipSmall", "below", below, 0);
  const dense = average();
  return layered("skipSmall", layout, ({ size }) => size < below ? dense : method, { method, below });
}

/** The tensors of one method. */
interface Group {
  readonly method: Method;
  readonly layout: Layout;
  /** Where the tensors lie in the model's vector; neighbours are one range. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

function layered(
  name: string,
  layout: Layout,
  choose: (layer: TensorOfLayout) => Method,
  options: Record<string, unknown>,
): Method {
  const groups = groupsOf(name, layout, choose);
  return {
    name,
    options: { ...options, methods: groups.map(({ method, layout: { size } }) => ({ method, size })) },
    sampled: groups.every(({ method }) => method.sampled ?? false),
    identityAlone: groups.every(({ method }) => method.identityAlone ?? false),
    // The quantities in the bounds are sums over the parameters, as ‖C(v)‖² is: what holds for each part holds for the
    // whole.
    ...groups.every(({ method }) => method.stepSize)
      ? {
        stepSize: (constants) =>
          Math.min(...groups.map(({ method, layout: { size } }) => method.stepSize!({ ...constants, size }))),
      }
      : {},
    init(given, ranks) {
      if (JSON.stringify(given.shapes) !== JSON.stringify(layout.shapes)) {
        throw new RangeError(
          `Cannot use ${name}: the model's tensors have shapes ${
            JSON.stringify(given.shapes)
          }, expected those of its ` +
            `layout, ${JSON.stringify(layout.shapes)}`,
        );
      }
      return joinStates(
        Object.fromEntries(groups.map(({ method, layout }, g) => [`${g}`, method.init(layout, ranks)])),
      );
    },
    *reduce(gradient, state, context) {
      // A method writes its part of the state after its own last round, when rounds of the next method may still fail.
      // So all methods but the last work on copies.
      const last = groups.length - 1, parts = groups.map((_, g) => partOf(state, `${g}`));
      const working = parts.map((part, g) => g < last ? copyOf(part, context.workspace, `${g}`) : part);
      for (const [g, { method, layout: { size }, ranges }] of groups.entries()) {
        const vector = context.workspace.floats(`group ${g}`, size);
        gather(gradient, ranges, vector);
        yield* withoutGradients(method, method.reduce(vector, working[g]!, contextOf(g, groups[g]!, context)));
      }
      for (const [g, { layout: { size }, ranges }] of groups.entries()) {
        if (g < last) commit(working[g]!, parts[g]!);
        scatter(context.workspace.floats(`group ${g}`, size), ranges, gradient);
      }
    },
  };
}

function groupsOf(name: string, { names, shapes }: Layout, choose: (layer: TensorOfLayout) => Method): Group[] {
  const groups = new Map<Method, { names: string[]; shapes: (readonly number[])[]; ranges: [number, number][] }>();
  let from = 0;
  shapes.forEach((shape, index) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const method = choose({ name: names[index]!, shape, size, index });
    requireMethod(`make ${name}`, `what choose returns for ${names[index]}`, method);
    requireGradient(name, method);
    const group = groups.get(method) ?? { names: [], shapes: [], ranges: [] }, range = group.ranges.at(-1);
    groups.set(method, group);
    group.names.push(names[index]!), group.shapes.push(shape);
    if (range?.[1] === from) range[1] = from + size;
    else group.ranges.push([from, from + size]);
    from += size;
  });
  return [...groups].map(([method, { names, shapes, ranges }]) => ({
    method,
    layout: { names, shapes, size: ranges.reduce((sum, [from, to]) => sum + to - from, 0) },
    ranges,
  }));
}

/** What the keys of the first group are folded with: an arbitrary constant, which decides what is drawn. */
const FIRST = 0x1a;

/** What the method of group g is told: keys, working memory, layout and parameters of its own. */
function contextOf(g: number, { layout, ranges }: Group, context: Context): Context {
  const own = ({ shared, keyOf }: Keys): Keys => ({
    shared: fold(shared, FIRST + g),
    keyOf: (rank) => fold(keyOf(rank), FIRST + g),
  });
  const part = derive(context, {
    ...own(context),
    layout,
    keysAt: (step) => own(context.keysAt(step)),
    workspace: partOfWorkspace(context.workspace, `${g}`),
  });
  return Object.defineProperty(part, "parameters", {
    get: () =>
      context.parameters &&
      gather(context.parameters, ranges, context.workspace.floats(`parameters ${g}`, layout.size)),
  });
}

function withoutGradients(method: Method, exchange: Exchange): Exchange {
  return relay(exchange, function* (round) {
    refuseGradient(method, round);
    return yield round;
  });
}

function gather(vector: Float32Array, ranges: Group["ranges"], into: Float32Array): Float32Array {
  let at = 0;
  for (const [from, to] of ranges) into.set(vector.subarray(from, to), at), at += to - from;
  return into;
}

function scatter(part: Float32Array, ranges: Group["ranges"], into: Float32Array): void {
  let at = 0;
  for (const [from, to] of ranges) into.set(part.subarray(at, at += to - from), from);
}

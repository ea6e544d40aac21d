/**
 * A method as text, with its options and what they are made of. Methods of equal text are equal, except that functions
 * among the options are all written alike.
 *
 * @example
 * ```ts
 * import { average, describeMethod } from "@gradwire/tfjs/optimizers";
 * console.assert(describeMethod(average()) === "average({ compressor: identity() })");
 * ```
 */
export function describeMethod(method: { readonly name: string; readonly options: object }): string {
  const list = Object.entries(method.options).filter(([, value]) => value !== undefined);
  const text = list.map(([option, value]) => `${option}: ${describeValue(value)}`).join(", ");
  return `${method.name}(${text === "" ? "" : `{ ${text} }`})`;
}

function describeValue(value: unknown): string {
  if (typeof value === "function") return "function";
  if (typeof value !== "object" || value === null) {
    return typeof value === "string" ? JSON.stringify(value) : `${value}`;
  }
  if (Array.isArray(value)) return `[${value.map(describeValue).join(", ")}]`;
  if ("name" in value && "options" in value) return describeMethod(value as { name: string; options: object });
  return `{ ${Object.entries(value).map(([key, value]) => `${key}: ${describeValue(value)}`).join(", ")} }`;
}

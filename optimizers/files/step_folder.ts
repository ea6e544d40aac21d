/** How saved steps lie in a folder. @module */

import { canonical } from "../../transport/handshake.ts";
import { digest } from "./digest.ts";
import { codeOf, type Files } from "./file_system.ts";

/** A value that JSON can hold, for instance where a run is in its data: `{ epoch: 3, batch: 120 }`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What a saved step consists of: the text of its manifest.json. */
export interface Manifest {
  /** "gradwire step". */
  readonly format: string;
  /** The version of the layout of folders; see FORMAT.md. */
  readonly version: number;
  /** Steps taken. */
  readonly step: number;
  /** Which save into this folder it is, counted from 1 over all runs: the newest has the largest number. */
  readonly save: number;
  /** The run that saved it, a few random digits. */
  readonly run: string;
  /** When, in ISO 8601. */
  readonly time: string;
  /** The file of each rank, in rank order. */
  readonly files: readonly StepFile[];
}

/** One rank's file of a saved step. */
export interface StepFile {
  /** Its name in the step's folder. */
  readonly name: string;
  /** How long it is. */
  readonly bytes: number;
  /** The digest of its bytes. */
  readonly digest: string;
  /** What that rank gave as its position in the data. */
  readonly position: Json;
}

/** The name of a saved step's folder. */
export interface StepName {
  /** All of it. */
  readonly name: string;
  /** Steps taken. */
  readonly step: number;
  /** Which save it is. */
  readonly save: number;
}

const FORMAT = "gradwire step", VERSION = 1;
const NAME = /^(\.?)step-(\d{12,16})-save-(\d{1,15})(-[0-9a-f]+)?$/;

/** The manifest's name in the folder of a step. It is written last. */
export const MANIFEST = "manifest.json";

/** The name of a rank's file in the folder of a step. */
export const rankFile = (rank: number): string => `rank-${rank}.safetensors`;

/** The name of the folder of a step that is complete. */
export const stepName = (step: number, save: number): string => `step-${String(step).padStart(12, "0")}-save-${save}`;

/** The name of the folder of a step that a run is writing. */
export const partialName = (step: number, save: number, run: string): string => `.${stepName(step, save)}-${run}`;

/** What lies in a folder of saved steps. */
export interface Listing {
  /** Complete steps, the newest first. */
  readonly steps: readonly StepName[];
  /** Steps that were not finished, or are being removed. */
  readonly partial: readonly StepName[];
}

/** Lists a folder. One that does not exist is empty; what has other names is left alone. */
export async function listSteps(files: Files, folder: string): Promise<Listing> {
  let names: string[];
  try {
    names = await files.readdir(folder);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    names = [];
  }
  if (names.includes(MANIFEST) && names.some((name) => /^rank-\d+\.safetensors$/.test(name))) {
    throw new Error("the folder is a saved step itself, expected the folder that holds the steps");
  }
  const steps: StepName[] = [], partial: StepName[] = [];
  for (const name of names) {
    const [, dot, step, save, run] = NAME.exec(name) ?? [];
    if (step === undefined || (dot === "" && run !== undefined)) continue;
    (dot === "" ? steps : partial).push({ name, step: Number(step), save: Number(save) });
  }
  // Two runs that did not know of one another may have used the same number.
  steps.sort((a, b) => b.save - a.save || (a.name < b.name ? 1 : -1));
  return { steps, partial };
}

/** A manifest as it is written: JSON that people can read, with a digest of the rest of it. */
export function writeManifest(manifest: Omit<Manifest, "format" | "version">): Uint8Array {
  const rest: Manifest = { format: FORMAT, version: VERSION, ...manifest };
  return new TextEncoder().encode(JSON.stringify({ ...rest, digest: digestOf(rest) }, null, 2) + "\n");
}

/**
 * Reads a manifest.
 *
 * @throws {RangeError} if it is damaged
 * @throws {Error} if it is of another format or version
 */
export function readManifest(bytes: Uint8Array): Manifest {
  let manifest: Manifest, stated: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    ({ digest: stated, ...manifest } = JSON.parse(text) as Manifest & { readonly digest: unknown });
  } catch (cause) {
    throw new RangeError(`${MANIFEST} is damaged: it is not JSON`, { cause });
  }
  const { format, version } = manifest;
  if (digestOf(manifest) !== stated) throw new RangeError(`${MANIFEST} is damaged: its digest is another`);
  if (format !== FORMAT || version !== VERSION) {
    throw new Error(`${MANIFEST} is ${format} of version ${version}, expected ${FORMAT} of version ${VERSION}`);
  }
  return manifest;
}

function digestOf(manifest: Manifest): string {
  return digest().text(canonical(manifest)).hex();
}

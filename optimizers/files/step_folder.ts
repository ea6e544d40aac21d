/** The layout of a folder of saved steps: names, and the manifest of each step. @module */

import { canonical } from "../../transport/handshake.ts";
import { digest } from "./digest.ts";
import { codeOf, type Files } from "./file_system.ts";

/** A value that JSON can hold, such as a position in the data: `{ epoch: 3, batch: 120 }`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The files of a saved step, and where they come from: the contents of its manifest.json. */
export interface Manifest {
  /** "gradwire step". */
  readonly format: string;
  /** The version of the layout of folders, which FORMAT.md describes. */
  readonly version: number;
  /** How many steps were taken. */
  readonly step: number;
  /** The number of the save, counted from 1 over all runs into this folder: the newest has the largest number. */
  readonly save: number;
  /** The run that saved the step: a few random digits. */
  readonly run: string;
  /** When the step was saved, as text of ISO 8601. */
  readonly time: string;
  /** The file of each rank, in rank order. */
  readonly files: readonly StepFile[];
}

/** One rank's file of a saved step. */
export interface StepFile {
  /** The name of the file in the step's folder. */
  readonly name: string;
  /** The length of the file. */
  readonly bytes: number;
  /** The digest of the file's bytes. */
  readonly digest: string;
  /** The position in the data that the rank gave. */
  readonly position: Json;
}

/** The name of a step's folder, and what it says. */
export interface StepName {
  /** The whole name. */
  readonly name: string;
  /** How many steps were taken. */
  readonly step: number;
  /** The number of the save. */
  readonly save: number;
}

const FORMAT = "gradwire step", VERSION = 1;
const NAME = /^(\.?)step-(\d{12,16})-save-(\d{1,15})(-[0-9a-f]+)?$/;

/** The name of the manifest in the folder of a step. The manifest is written last. */
export const MANIFEST = "manifest.json";

/** The name of a rank's file in the folder of a step. */
export const rankFile = (rank: number): string => `rank-${rank}.safetensors`;

/** The name of the folder of a step that is complete. */
export const stepName = (step: number, save: number): string => `step-${String(step).padStart(12, "0")}-save-${save}`;

/** The name of the folder of a step that a run is writing. */
export const partialName = (step: number, save: number, run: string): string => `.${stepName(step, save)}-${run}`;

/** The steps in a folder. */
interface Listing {
  /** Complete steps, the newest first. */
  readonly steps: readonly StepName[];
  /** Steps that were not finished, or that are being removed. */
  readonly partial: readonly StepName[];
}

/**
 * Lists the steps in a folder. A folder that does not exist has none. Files with other names are ignored.
 *
 * @throws {Error} if the folder is a step itself
 */
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
  // Two runs that did not know of each other may have used the same number.
  steps.sort((a, b) => b.save - a.save || (a.name < b.name ? 1 : -1));
  return { steps, partial };
}

/** Writes a manifest: JSON with a digest of all its other members. */
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

/** All areas. @module */

import type { Area } from "./area.ts";
import { functions } from "./calls.ts";
import { checkpoints } from "./checkpoints.ts";
import { codes } from "./codes.ts";
import { decoders } from "./decoders.ts";
import { files } from "./files.ts";
import { options } from "./options.ts";
import { packets } from "./packets.ts";
import { texts } from "./texts.ts";

/** In the order of the table. */
export const areas: readonly Area[] = [decoders, codes, packets, files, checkpoints, functions, options, texts];

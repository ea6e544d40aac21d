/**
 * The command that starts the ranks of a group: `deno run -A launch.ts --ranks 4 script.ts`. See `--help`.
 *
 * @module
 */

import { command } from "./transport/launch/command.ts";

// The exit also ends workers that are in the middle of something.
if (import.meta.main) Deno.exit(await command(Deno.args));

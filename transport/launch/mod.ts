/**
 * Starts the ranks of a group, as workers of this process or as processes, and ends them together. As a program, which
 * `deno run -A` and this module's address start, it is the command of the same purpose.
 *
 * @module
 */

import { command } from "./command.ts";

export { launch, launchArgs, LaunchError, type LaunchOptions } from "./start_ranks.ts";

// The exit also ends workers that are in the middle of something.
if (import.meta.main) Deno.exit(await command(Deno.args));

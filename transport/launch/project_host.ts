/**
 * What a process does that was started for a script's project: it launches the script's workers instead of running the
 * script itself, before which it is loaded. Its address holds the number of the process that started it, and the command
 * line. See project.ts.
 *
 * @module
 */

import { launchCommand } from "./command.ts";

const [launcher, ...args] = JSON.parse(decodeURIComponent(new URL(import.meta.url).search.slice(1)));
// That one may have been ended before it could see to it that this process ends with it.
Deno.exit(Deno.ppid === launcher ? await launchCommand(args) : 1);

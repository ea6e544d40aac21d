/**
 * The program of a process that `project.ts` starts for a script. Deno loads it before the script, and it launches the
 * script's workers instead of letting Deno run the script.
 *
 * The query of its URL holds, as JSON, the id of the process that started it and the command line.
 *
 * @module
 */

import { launchCommand } from "./command.ts";

const [launcher, ...args] = JSON.parse(decodeURIComponent(new URL(import.meta.url).search.slice(1)));
// A launcher that has ended meanwhile would not see to it that this process ends with it.
Deno.exit(Deno.ppid === launcher ? await launchCommand(args) : 1);

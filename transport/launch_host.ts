/**
 * What a process does that was started for a script's project: it launches the script's workers instead of running the
 * script itself, before which it is loaded. Its address holds the command line. See launch_project.ts.
 *
 * @module
 */

import { launchCommand } from "../launch.ts";

Deno.exit(await launchCommand(JSON.parse(decodeURIComponent(new URL(import.meta.url).search.slice(1)))));

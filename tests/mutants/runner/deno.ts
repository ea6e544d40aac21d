/** What `deno test` and `deno check` say about a copy of the project. @module */

import { splitTest } from "./lists.ts";

/** How the tests of one file ended. */
export interface Trial {
  /** How many tests passed that prove more than pinned bytes. */
  readonly passed: number;
  /** Names of the tests that failed and prove more than pinned bytes. */
  readonly failed: readonly string[];
  /** Names of failed tests of pinned bytes. */
  readonly pinned: readonly string[];
  /** Why the run says nothing about the code: the module did not load, for example. */
  readonly broken?: string;
  /** The tests did not end in time. */
  readonly hung: boolean;
  readonly seconds: number;
}

/** Tests whose names say that they compare with bytes or digests that were written down. */
const PINNED = /golden|pinned/i;

/**
 * Runs the tests, in the folder, that an entry of `Mutant.tests` names, for at most `deadline` milliseconds.
 *
 * @param flags permissions and sanitizers, as `deno test` takes them
 */
export async function runTests(
  folder: string,
  test: string,
  deadline: number,
  flags: readonly string[],
): Promise<Trial> {
  const [path, filter] = splitTest(test), start = performance.now();
  const args = [
    "test",
    "--no-check",
    "--reporter=tap",
    ...flags,
    ...(filter === undefined ? [] : ["--filter", filter]),
  ];
  const { success, hung, stdout, stderr } = await run([...args, path], folder, deadline);
  const seconds = (performance.now() - start) / 1000;
  const names = (start: RegExp) => [...stdout.matchAll(start)].map(([, name]) => name!);
  const failures = names(/^not ok \d+ - (.*)$/gm);
  const failed = failures.filter((name) => !PINNED.test(name)), pinned = failures.filter((name) => PINNED.test(name));
  const passed = names(/^ok \d+ - (?!.* # SKIP)(.*)$/gm).filter((name) => !PINNED.test(name)).length;
  const noReason = !success && !hung && failures.length === 0;
  return { passed, failed, pinned, hung, seconds, ...(noReason ? { broken: lastLines(stderr || stdout) } : {}) };
}

/** What the type checker says against these files of the folder, or undefined if it says nothing. */
export async function typeErrors(folder: string, files: readonly string[]): Promise<string | undefined> {
  const { success, stderr } = await run(["check", "--quiet", ...files], folder, 600_000);
  return success ? undefined : stderr.trim();
}

/** Runs deno in a process group of its own, of which nothing is left afterwards. */
async function run(args: readonly string[], cwd: string, deadline: number) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  running.add(child.pid);
  let hung = false;
  const timer = setTimeout(() => (hung = true, killGroup(child.pid)), deadline);
  try {
    // Processes that a test leaves behind hold the pipes open: they are ended with the group.
    const status = child.status.finally(() => killGroup(child.pid));
    const [{ success }, stdout, stderr] = await Promise.all([status, text(child.stdout), text(child.stderr)]);
    return { success, hung, stdout, stderr };
  } finally {
    clearTimeout(timer);
    running.delete(child.pid);
  }
}

const running = new Set<number>();

/** Ends what is running, for a runner that is itself ended. */
export function killAll(): void {
  for (const pid of running) killGroup(pid);
}

function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

function lastLines(output: string): string {
  return output.trim().split("\n").slice(-12).join("\n");
}

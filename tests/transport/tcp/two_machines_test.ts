/**
 * Two machines with two ranks each, as network namespaces with files of hosts of their own. Debian's gives a machine's name
 * as 127.0.1.1: there rank 0 would listen where nobody else comes in, and rank 1 tell that it lives at 127.0.0.1.
 */

import { assertEquals } from "@std/assert/mod.js";

const root = new URL("../../../", import.meta.url).pathname, id = crypto.randomUUID().slice(0, 8);
const [a, b] = [`gwa${id}`, `gwb${id}`];

/** Runs a command line; throws what it prints if it fails. */
async function shell(line: string, env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("sh", { args: ["-c", line], env }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(text.decode(stderr) + text.decode(stdout));
  return text.decode(stdout);
}

/** Why the machines cannot be made here. */
async function missing(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "there are no network namespaces";
  try {
    await shell(`ip netns add ${a} && ip netns exec ${a} unshare -m true; end=$?; ip netns del ${a}; exit $end`);
  } catch (error) {
    return `network namespaces need root and iproute2: ${(error as Error).message.trim()}`;
  }
}

const reason = await missing();

for (const bind of ["", "0.0.0.0"]) {
  Deno.test({
    name: `ranks on two machines meet by a name that one of them knows as its loopback, bind "${bind}"` +
      (reason === undefined ? "" : ` (not here: ${reason})`),
    ignore: reason !== undefined,
    async fn() {
      const folder = await Deno.makeTempDir();
      await Deno.writeTextFile(`${folder}/${a}`, "127.0.0.1 localhost\n127.0.1.1 node-a\n");
      await Deno.writeTextFile(`${folder}/${b}`, "127.0.0.1 localhost\n10.78.0.1 node-a\n127.0.1.1 node-b\n");
      await Deno.writeTextFile(
        `${folder}/rank.ts`,
        `import { connect } from ${JSON.stringify(`file://${root}transport/mod.ts`)};
         const bind = Deno.env.get("BIND");
         using group = await connect({ timeout: 30_000, ...bind ? { bind } : {} });
         const vector = Float32Array.of(group.rank);
         group.perform({ op: "allReduce", vector });
         console.log("sum", vector[0]);`,
      );
      try {
        await shell(`set -e; ip netns add ${a}; ip netns add ${b}
          ip link add ea netns ${a} type veth peer name eb netns ${b}
          ip -n ${a} addr add 10.78.0.1/24 dev ea; ip -n ${b} addr add 10.78.0.2/24 dev eb
          ip -n ${a} link set ea up; ip -n ${b} link set eb up; ip -n ${a} link set lo up; ip -n ${b} link set lo up`);
        const sums = await Promise.all([a, a, b, b].map((node, rank) =>
          shell(
            `ip netns exec ${node} unshare -m sh -c 'mount --bind ${folder}/${node} /etc/hosts
             exec "$DENO" run --quiet --no-check --no-config -A ${folder}/rank.ts'`,
            {
              DENO: Deno.execPath(),
              RANK: `${rank}`,
              WORLD_SIZE: "4",
              MASTER_ADDR: "node-a",
              MASTER_PORT: "29950",
              BIND: bind,
              NO_COLOR: "1",
            },
          )
        ));
        assertEquals(sums, Array(4).fill("sum 6\n"));
      } finally {
        await shell(`ip netns del ${a}; ip netns del ${b}; true`);
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

import { launch } from "../../../transport/launch/mod.ts";
import { folderOf } from "./launcher.ts";

const meet = "using group = await connect(); group.perform({ op: 'allReduce', vector: new Float32Array(1) });";

Deno.test("launch: a program's own import map holds for its workers, also where the script lies elsewhere", async () => {
  using folder = folderOf({ "rank.ts": `import { connect } from "@gradwire/tfjs"; ${meet}` });
  await launch({ script: `${folder.path}/rank.ts`, ranks: 2, prefix: false });
});

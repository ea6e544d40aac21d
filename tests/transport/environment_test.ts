import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { placeFrom } from "../../transport/environment.ts";

Deno.test("connect: what the environment says in part is refused", () => {
  const from = (env: Record<string, string>) => placeFrom((name) => env[name]);
  const torch = { RANK: "1", WORLD_SIZE: "2", MASTER_ADDR: "host", MASTER_PORT: "9" };
  assertEquals(from({}), undefined);
  assertEquals(from({ MASTER_ADDR: "host", MASTER_PORT: "9" }), undefined);
  assertEquals(from(torch)!.meeting, { transport: "tcp", host: "host", port: 9 });
  const patience = {
    GRADWIRE_CONNECT_TIMEOUT: "70",
    GRADWIRE_TIMEOUT: "50",
    GRADWIRE_ROUND_TIMEOUT: "Infinity",
  };
  assertEquals(from({ ...torch, GRADWIRE_RUN: "r", ...patience }), {
    rank: 1,
    size: 2,
    args: [],
    meeting: { transport: "tcp", host: "host", port: 9, run: "r" },
    connectTimeout: 70,
    timeout: 50,
    roundTimeout: Infinity,
  });
  assertEquals(from({ RANK: "0", WORLD_SIZE: "1" })!.size, 1);
  const { MASTER_PORT: _, ...noPort } = torch;
  assertThrows(() => from(noPort), Error, "Cannot connect: RANK is 1, but MASTER_PORT is not set");
  const slurm = { SLURM_PROCID: "1", SLURM_NTASKS: "4", SLURM_STEP_ID: "0" };
  assertThrows(() => from(slurm), Error, "SLURM_PROCID is 1, but MASTER_PORT is not");
  assertThrows(() => from({ ...slurm, SLURM_STEP_ID: "" }), Error, "SLURM_PROCID is 1, but SLURM_STEP_ID is not set");
  assertThrows(() => from({ ...slurm, SLURM_NTASKS: "" }), Error, "SLURM_PROCID is 1, but SLURM_NTASKS is not set");
  // Shells and batch scripts of Slurm are no tasks of a step, whether or not they know how many there would be.
  for (const shell of [{}, { SLURM_NTASKS: "4" }, { SLURM_STEP_ID: "0" }]) {
    assertEquals(from({ SLURM_PROCID: "0", ...shell }), undefined);
  }
  assertEquals(from({ WORLD_SIZE: "1" }), undefined);
  assertThrows(() => from({ WORLD_SIZE: "4" }), Error, "WORLD_SIZE is 4, but RANK is not set");
  assertThrows(() => from({ RANK: "0" }), Error, "RANK is 0, but WORLD_SIZE is not set");
  assertThrows(() => from({ ...torch, RANK: "2" }), RangeError, "RANK is 2, expected an integer from 0 to 1");
  assertThrows(() => from({ ...torch, MASTER_PORT: "http" }), RangeError, "MASTER_PORT is http");
});

// Node: rows of bench/peers. peer.h has the command line. A task is an async function: it runs at once up to its
// first await, and has no stack while it waits. There are no channels, mutexes or selects to compare.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const echoConnections = 64;

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
};
const each = (begin, operations) => (cpu() - begin) / operations;
const batches = (count, batch) => Math.max(1, Math.floor(count / batch));
const together = (tasks, fn) => Promise.all(Array.from({ length: tasks }, fn));

const yields = (tasks) => async (count) => {
  const steps = batches(count, tasks);
  const all = together(tasks, async () => {
    for (let i = 0; i < steps; i++) await null;
  });
  const begin = cpu();
  await all;
  return each(begin, tasks * steps);
};

const rounds = async (batch, count, round) => {
  await round();
  const begin = cpu();
  for (let i = 0; i < batches(count, batch); i++) await round();
  return each(begin, batch * batches(count, batch));
};

const lives = (batch) => (count) => rounds(batch, count, () => together(batch, async () => {}));

// A promise that all wait for.
const newGate = () => {
  const gate = {};
  gate.opened = new Promise((resolve) => (gate.open = resolve));
  return gate;
};

const gates = (count) =>
  rounds(1000, count, async () => {
    const gate = newGate();
    const all = together(1000, async () => await gate.opened);
    gate.open();
    await all;
  });

const sleeps = async (count) => {
  const times = batches(count, 10000);
  const begin = cpu();
  await together(10000, async () => {
    for (let i = 0; i < times; i++) await sleep(1 + Math.floor(Math.random() * 100));
  });
  return each(begin, 10000 * times);
};

const cancels = async (count) => {
  let spent = 0;
  for (let round = 0; round < batches(count, 10000); round++) {
    const controllers = Array.from({ length: 10000 }, () => new AbortController());
    const all = controllers.map(async ({ signal }) => {
      try {
        await sleep(60000 + Math.random() * 60000, null, { signal });
      } catch (error) {
        if (error.name !== "AbortError") throw error;
      }
    });
    const begin = cpu();
    for (const controller of controllers) controller.abort();
    await Promise.all(all);
    spent += cpu() - begin;
  }
  return spent / (10000 * batches(count, 10000));
};

const deadlines = (count) => {
  const begin = cpu();
  for (let i = 0; i < count; i++) {
    const controller = new AbortController();
    clearTimeout(setTimeout(() => controller.abort(), 30000));
  }
  return each(begin, count);
};

const resident = () => Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4096;

const memory = async () => {
  const gate = newGate();
  const before = resident();
  const all = together(10000, async () => await gate.opened);
  const bytes = (resident() - before) / 10000;
  gate.open();
  await all;
  return bytes;
};

const echo = async (count) => {
  let closed = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("data", (data) => socket.write(data));
    socket.on("close", () => ++closed === echoConnections && server.close());
  });
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 });
  await once(server, "listening");
  const begin = cpu();
  if (!process.env.PEER_LOAD) throw new Error("PEER_LOAD does not name the load");
  const words = [String(server.address().port), String(count)];
  const load = spawn(process.env.PEER_LOAD, words, { stdio: ["ignore", "ignore", "inherit"] });
  const exit = once(load, "exit");
  await once(server, "close");
  const ns = each(begin, count);
  if ((await exit)[0] !== 0) throw new Error("the load failed");
  return ns;
};

const rows = {
  "yield_2": yields(2),
  "yield_100": yields(100),
  "yield_10000": yields(10000),
  "spawn_join_1000": lives(1000),
  "spawn_gate_1000": gates,
  "spawn_join_10000": lives(10000),
  "sleep_10000": sleeps,
  "cancel_10000": cancels,
  "deadline_scope": deadlines,
  "bytes_per_task_10000": memory,
  "echo_64_c64": echo,
};

const [row, count] = process.argv.slice(2);
if (row === undefined) {
  console.log(Object.keys(rows).join("\n"));
} else if (Object.hasOwn(rows, row) && count !== undefined) {
  console.log(await rows[row](Number(count)));
} else {
  console.error("usage: peer.mjs [ROW COUNT]; without arguments: the rows");
  process.exitCode = 2;
}

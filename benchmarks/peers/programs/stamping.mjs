// The same as stamping.py, for systems of node: the job's line, the numbers, and the order of the commands.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const modules = path.join(process.env.BENCH_NODE, "package.json");
export const require = createRequire(modules);
export const url = process.env.BENCH_POSTGRESQL_URL.replace("+psycopg", "");

let file;
export function stamp(number) {
  file ??= fs.openSync(process.env.BENCH_STAMPS, "a");
  fs.writeSync(file, `${process.hrtime.bigint()} ${number} ${process.env.BENCH_WORKER ?? "0"}\n`);
}

export function versions(...names) {
  const at = (name) => path.join(process.env.BENCH_NODE, "node_modules", name, "package.json");
  const all = names.map((name) => [name, JSON.parse(fs.readFileSync(at(name), "utf8")).version]);
  console.log(JSON.stringify(Object.fromEntries([["node", process.version], ...all])));
}

function ran(number) {
  const lines = fs.readFileSync(process.env.BENCH_STAMPS, "ascii").split("\n");
  return lines.some((line) => line.split(" ")[1] === String(number));
}

async function ping(count, enqueue) {
  for (let number = 0; number < count; number += 1) {
    await sleep(300 + Math.random() * 500);
    console.log(number, String(process.hrtime.bigint()));
    await enqueue(number);
    const deadline = Date.now() + 30000;
    while (!ran(number)) {
      if (Date.now() > deadline) throw new Error(`job ${number} has not run in 30 s`);
      await sleep(5);
    }
  }
}

export async function main({ prepare, enqueue, many, clear, work }) {
  const [command, ...numbers] = process.argv.slice(2);
  if (command === "prepare") await prepare();
  else if (command === "enqueue") {
    await enqueue(0);
    const began = process.hrtime.bigint();
    for (let number = 1; number < Number(numbers[0]); number += 1) await enqueue(number);
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    console.log(JSON.stringify({ seconds, timed: Number(numbers[0]) - 1 }));
  } else if (command === "many") {
    const [from, to] = numbers.map(Number);
    for (let start = from; start < to; start += 1000) {
      await many(Array.from({ length: Math.min(1000, to - start) }, (_, n) => start + n));
    }
  } else if (command === "ping") await ping(Number(numbers[0]), enqueue);
  else if (command === "clear") await clear();
  else if (command === "work") await work();
  else throw new Error(`unknown command: ${command}`);
}

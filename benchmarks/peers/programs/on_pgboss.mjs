// pg-boss: batches of 1,000, looked for each half second, which is the shortest pause it allows.
import { main, require, stamp, url, versions } from "./stamping.mjs";

const loaded = require("pg-boss");
const PgBoss = loaded.PgBoss ?? loaded;
const { Client } = require("pg");

let boss;
async function opened() {
  if (!boss) {
    boss = new PgBoss({ connectionString: url });
    boss.on("error", (problem) => console.error(problem));
    await boss.start();
  }
  return boss;
}

async function clear() {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("DROP SCHEMA IF EXISTS pgboss CASCADE");
  await client.end();
}

await main({
  clear,
  async prepare() {
    await clear();
    await (await opened()).createQueue("bench");
    versions("pg-boss", "pg");
  },
  enqueue: async (number) => (await opened()).send("bench", { number }),
  many: async (numbers) => (await opened()).insert(numbers.map((number) => ({ name: "bench", data: { number } }))),
  async work() {
    const options = { batchSize: 1000, pollingIntervalSeconds: 0.5 };
    await (await opened()).work("bench", options, async (jobs) => jobs.forEach((job) => stamp(job.data.number)));
    process.on("SIGTERM", () => boss.stop({ graceful: true }).then(() => process.exit(0)));
    await new Promise(() => {});
  },
});
await boss?.stop({ graceful: false });
process.exit(0);

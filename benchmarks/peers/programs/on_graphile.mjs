// graphile-worker with the settings of its own page on performance: local queue, and completions in batches.
import { main, require, stamp, url, versions } from "./stamping.mjs";

const { Logger, makeWorkerUtils, run } = require("graphile-worker");
const { Client } = require("pg");

const logger = new Logger(() => () => {});
const worker = {
  connectionString: url, concurrentJobs: 24, maxPoolSize: 25, localQueue: { size: 500 },
  completeJobBatchDelay: 0, failJobBatchDelay: 0, logger,
};
let utils;
const opened = async () => (utils ??= await makeWorkerUtils({ connectionString: url, logger }));

async function clear() {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("DROP SCHEMA IF EXISTS graphile_worker CASCADE");
  await client.end();
}

await main({
  clear,
  async prepare() {
    await clear();
    await (await opened()).migrate();
    versions("graphile-worker", "pg");
  },
  enqueue: async (number) => (await opened()).addJob("noop", { number }),
  many: async (numbers) =>
    (await opened()).addJobs(numbers.map((number) => ({ identifier: "noop", payload: { number } }))),
  async work() {
    const runner = await run({ preset: { worker }, taskList: { noop: ({ number }) => stamp(number) } });
    await runner.promise;
  },
});
await utils?.release();

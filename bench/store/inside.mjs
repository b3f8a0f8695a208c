// Writers in the server's own process: the registry on a store on disk, no HTTP. Ends when its caller ends it.
import { fromDist } from "../dist.mjs";

const { file, writers, ms, text } = JSON.parse(process.argv[2]);
const { createRegistry, localClient } = await fromDist("apiserver/index.js");
const { sqliteStore } = await fromDist("adapters/store/index.js");
const { systemClock, systemRandom } = await fromDist("adapters/clock/index.js");
const { allKinds } = await fromDist("domain/apis/kinds.js");
const { ConfigMap } = await fromDist("domain/apis/core/config.types.js");

const registry = await createRegistry({
  store: sqliteStore({ file }),
  clock: systemClock(),
  random: systemRandom,
  kinds: allKinds,
});
const client = localClient(registry, { name: "bench", groups: ["system:masters"] });
const latencies = [];
let measuring = false;
let over = false;

const all = Array.from({ length: writers }, async (_, at) => {
  const metadata = { name: `bench-${at}`, namespace: "default" };
  await client.create(ConfigMap, { metadata, data: { text, n: "0" } });
  for (let n = 1; !over; n += 1) {
    const began = performance.now();
    await client.update(ConfigMap, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata,
      data: { text, n: `${n}` },
    });
    if (measuring) latencies.push(performance.now() - began);
  }
});
await new Promise((done) => setTimeout(done, ms * 0.3));
process.stdout.write("begin\n");
measuring = true;
const began = performance.now();
await new Promise((done) => setTimeout(done, ms));
measuring = false;
const tookMs = performance.now() - began;
over = true;
await Promise.all(all);
latencies.sort((one, other) => one - other);
const at = (share) => latencies[Math.floor(latencies.length * share)] * 1000;
const count = latencies.length;
process.stdout.write(
  `${JSON.stringify({ count, perSecond: (count / tookMs) * 1000, p50: at(0.5), p99: at(0.99) })}\n`,
);
setInterval(() => {}, 1000);

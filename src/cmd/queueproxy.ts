// The queue-proxy's process, beside one user container in a pod on a cluster. Its environment says everything.
import { systemClock, systemRandom } from "../adapters/clock/index.js";
import { readEnvironment, startQueueProxy } from "../dataplane/index.js";

const read = readEnvironment(process.env);
if ("wrong" in read) {
  for (const one of read.wrong) process.stderr.write(`queue-proxy: ${one}\n`);
  process.exit(2);
}
const quiet = Number(process.env["DRYDOCK_QUEUE_QUIET_MS"]);
const proxy = await startQueueProxy({
  settings: read.settings,
  clock: systemClock(),
  random: systemRandom,
  log: (line) => process.stderr.write(`queue-proxy: ${line}\n`),
  ...(quiet > 0 && { quietMs: quiet }),
});
const { serving, tls } = proxy.addresses();
process.stdout.write(`listening on ${serving}${tls === undefined ? "" : ` and, with TLS, on ${tls}`}\n`);

let leaving = false;
process.on("SIGTERM", () => {
  if (leaving) return;
  leaving = true;
  void proxy.leave().then(() => process.exit(0));
});

// The queue-proxy's process, beside one user container in a pod on a cluster. Its environment says everything.
import { systemClock, systemRandom } from "../adapters/clock/index.js";
import { lineWriter } from "../adapters/log/index.js";
import { queueLog, readEnvironment, startQueueProxy } from "../dataplane/index.js";
import { bindLightly } from "./bindLightly.js";

bindLightly();

const read = readEnvironment(process.env);
if ("wrong" in read) {
  for (const one of read.wrong) process.stderr.write(`queue-proxy: ${one}\n`);
  process.exit(2);
}
const { settings } = read;
const clock = systemClock();
const log = queueLog(
  settings.logging,
  settings,
  () => clock.now(),
  (line) => void process.stderr.write(line),
);
const told = (name: string): number | undefined => {
  const ms = Number(process.env[name]);
  return ms > 0 ? ms : undefined;
};
const quietMs = told("DRYDOCK_QUEUE_QUIET_MS");
const certificateLookMs = told("DRYDOCK_QUEUE_CERTIFICATE_LOOK_MS");
const proxy = await startQueueProxy({
  settings,
  clock,
  random: systemRandom,
  log,
  // The pod's own log is the requests' alone; what the queue-proxy has to say goes beside it.
  requests: lineWriter(
    () => process.stdout,
    (lines) => log.warn(`${lines} lines of the request log were left out: nobody reads them fast enough`),
  ),
  ...(quietMs !== undefined && { quietMs }),
  ...(certificateLookMs !== undefined && { certificateLookMs }),
});
const { serving, tls } = proxy.addresses();
const where = settings.hostIp === "" ? "" : `, on the node ${settings.hostIp}`;
log.info(`listening on ${serving}${tls === undefined ? "" : ` and, with TLS, on ${tls}`}${where}`);

let leaving = false;
process.on("SIGTERM", () => {
  if (leaving) return;
  leaving = true;
  log.info("draining");
  void proxy.leave().then(() => process.exit(0));
});

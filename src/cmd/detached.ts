/**
 * The instance as a process of its own. Told by its parent over IPC where its home is; tells when it serves, and from
 * then on ends only by a signal.
 */
import { systemClock } from "../adapters/clock/index.js";
import { streamLog } from "../adapters/log/index.js";
import type { Started } from "../cli/index.js";
import { makeInstances } from "./instance.js";
import type { FromDetached, ToDetached } from "./startDetached.js";

// Its stderr is the log file.
const log = streamLog(process.stderr);
const stopping = new AbortController();
const end = (): void => stopping.abort();
process.on("SIGTERM", end);
process.on("SIGINT", end);
process.on("SIGHUP", () => {});
// A parent that gives up before it was told takes this process with it.
process.on("disconnect", end);

process.once("message", (message: ToDetached) => {
  run(message).then(
    () => process.exit(0),
    (error: unknown) => {
      const because = error instanceof Error ? error.message : String(error);
      log.error("the instance ended", { error: because });
      tell({ type: "failed", message: because });
      process.exit(1);
    },
  );
});

async function run({ home, asked }: ToDetached): Promise<void> {
  const openLog = async () => log;
  const { signal } = stopping;
  const instances = makeInstances({ home, clock: systemClock(), signal, openLog, privateLog: openLog });
  const started = await instances.start(asked, (line) => tell({ type: "progress", line }));
  if (!signal.aborted) {
    process.off("disconnect", end);
    tell({ type: "ready", instance: started.instance });
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }
  await closeIt(started);
}

async function closeIt(started: Started): Promise<void> {
  log.info("stopping");
  await started.close((line) => log.info(line));
  log.info("stopped");
}

function tell(message: FromDetached): void {
  if (process.connected) process.send?.(message);
}

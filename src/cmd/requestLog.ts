/**
 * The request log on one machine: here the gateway does what a queue-proxy does beside each pod of a cluster, so it writes
 * the lines, for all pods into one file.
 */
import { lineWriter, type RotatingFile, rotatingFile } from "../adapters/log/index.js";
import type { Informers } from "../controller/index.js";
import {
  type Gateway,
  type LoggedRevision,
  type RequestLogSettings,
  requestLine,
  type SeenRequest,
} from "../dataplane/index.js";
import { readServingConfig } from "../domain/apis/config/index.js";
import { ConfigMap } from "../domain/apis/core/config.types.js";
import { Revision } from "../domain/apis/serving/revision.types.js";
import type { Log } from "../ports/index.js";

export interface RequestLogOrder extends RequestLogSettings {
  readonly file: string;
}

/** Follows config-observability; undefined while requests are not logged. */
export function followRequestLog(
  informers: Informers,
  file: string,
  told: (order: RequestLogOrder | undefined) => void,
): void {
  const key = { namespace: "knative-serving", name: "config-observability" };
  let said = "";
  informers.of(ConfigMap).subscribe(({ object: { metadata } }) => {
    if (metadata.name !== key.name || metadata.namespace !== key.namespace) return;
    const data = informers.listers(ConfigMap).get(key)?.data;
    const { observability } = readServingConfig((name) => (name === key.name ? data : undefined));
    const order = observability.enableRequestLog
      ? { template: observability.requestLogTemplate, probes: observability.enableProbeRequestLog, file }
      : undefined;
    const text = JSON.stringify(order ?? null);
    if (text === said) return;
    said = text;
    told(order);
  });
}

/** The gateway's side. */
export function logsRequests(
  gateway: Pick<Gateway, "tellSeen">,
  informers: Informers,
  log: Log,
): (order: RequestLogOrder | undefined) => Promise<void> {
  let file: RotatingFile | undefined;
  let turn = Promise.resolve();
  const follow = async (order: RequestLogOrder | undefined): Promise<void> => {
    gateway.tellSeen(undefined);
    // What was seen in this turn is written at its end.
    if (file !== undefined) await new Promise(setImmediate);
    await file?.end();
    file = undefined;
    if (order === undefined) return;
    const line = requestLine(order, (seen) => revisionOf(seen, informers));
    if ("because" in line) {
      log.error("requests cannot be logged", { error: line.because });
      return;
    }
    const opened = rotatingFile(order.file, log);
    file = opened;
    const write = lineWriter(
      () => opened,
      (lines) => log.error("the disk is too slow for the request log: lines were left out", { lines }),
    );
    gateway.tellSeen((seen) => {
      const text = line.value(seen);
      if (text !== undefined) write(text);
    });
  };
  return (order) => {
    turn = turn.then(() => follow(order));
    return turn;
  };
}

function revisionOf({ revision, pod }: SeenRequest, informers: Informers): LoggedRevision {
  const labels =
    revision === undefined ? undefined : informers.listers(Revision).get(revision)?.metadata.labels;
  return {
    name: revision?.name ?? "",
    namespace: revision?.namespace ?? "",
    service: labels?.["serving.knative.dev/service"] ?? "",
    configuration: labels?.["serving.knative.dev/configuration"] ?? "",
    podName: pod?.pod ?? "",
    podIp: pod?.address.replace(/:\d+$/, "") ?? "",
  };
}

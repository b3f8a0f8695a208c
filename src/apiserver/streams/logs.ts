// pods/log: what a container said, up to now or for as long as it speaks.
import { once } from "node:events";
import { type FieldError, fieldErrors } from "../../domain/apis/meta/fieldError.js";
import type { LogOptions } from "../../ports/index.js";
import type { Call } from "../http/call.js";
import { isTrue, type ResourcePath } from "../http/path.js";
import { send } from "../http/respond.js";
import type { Served } from "../registry/index.js";
import { badRequest, invalid } from "../status.js";
import { containerOf, findPod, requireHost, runtimeOf } from "./pods.js";

export async function podLogs(call: Call, _served: Served, { namespace, name }: ResourcePath): Promise<void> {
  const { query, response } = call;
  const found = findPod(call, namespace, name);
  const options = logOptions(
    query,
    name,
    containerOf(found, query.get("container") ?? ""),
    call.house.clock.now(),
  );
  // Nothing runs yet, so nothing was said: not an error for someone who waits for it to.
  if ((found.pod.spec?.nodeName ?? "") === "") return send(call, 200, "text/plain", "");

  const abort = new AbortController();
  response.on("close", () => abort.abort());
  const lines = await runtimeOf(call).logs(found.ref, options, abort.signal);
  response.writeHead(200, { "Content-Type": "text/plain", "Cache-Control": "no-cache, private" });
  response.flushHeaders();
  for await (const chunk of lines) {
    if (abort.signal.aborted) break;
    if (!response.write(chunk)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  response.end();
}

export function logOptions(
  query: URLSearchParams,
  pod: string,
  container: string,
  nowMs: number,
): LogOptions {
  const errors: FieldError[] = [];
  const whole = (field: string, least: number): number | undefined => {
    const text = query.get(field);
    if (text === null || text === "") return undefined;
    if (!/^-?\d+$/.test(text))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    const value = Number(text);
    if (value < least)
      errors.push(
        fieldErrors.invalid(field, value, `must be greater than ${least === 0 ? "or equal to 0" : "0"}`),
      );
    return value;
  };
  const tailLines = whole("tailLines", 0);
  const limitBytes = whole("limitBytes", 1);
  const sinceSeconds = whole("sinceSeconds", 1);
  const sinceTime = query.get("sinceTime") ?? "";
  if (sinceSeconds !== undefined && sinceTime !== "") {
    errors.push(fieldErrors.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  }
  if (errors.length > 0) throw invalid({ group: "", kind: "PodLogOptions" }, pod, errors);
  const sinceMs = sinceSeconds === undefined ? Date.parse(sinceTime) : nowMs - sinceSeconds * 1000;
  return {
    container,
    follow: isTrue(query.get("follow")),
    previous: isTrue(query.get("previous")),
    timestamps: isTrue(query.get("timestamps")),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(Number.isNaN(sinceMs) ? {} : { sinceMs }),
  };
}

/** The refusals that come before any upgrade, for a request that forgot to ask for one. */
export function portForwardTargetCheck(call: Call, _served: Served, { namespace, name }: ResourcePath): void {
  requireHost(findPod(call, namespace, name));
}

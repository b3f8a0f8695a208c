// The container of a model that works for a while, and refuses more at once than it was promised.
import { join } from "node:path";
import { root } from "../sources.js";

export function slowModel(mostAtOnce: number, workMs?: number) {
  return {
    image: "drydock/host",
    command: [process.execPath, join(root, "test/autoscaling/server.mjs")],
    env: [
      { name: "MOST_AT_ONCE", value: String(mostAtOnce) },
      ...(workMs === undefined ? [] : [{ name: "WORK_MS", value: String(workMs) }]),
    ],
    readinessProbe: { httpGet: { path: "/healthz" }, periodSeconds: 1 },
  };
}

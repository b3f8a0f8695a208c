import { expect, test } from "vitest";
import { PortError } from "../../ports/index.js";
import type { Api, ApiRequest } from "../context.js";
import { type Change, follow } from "./follow.js";
import { inferenceServices } from "./resources.js";

const model = (name: string, resourceVersion: string) => ({ metadata: { name, uid: name, resourceVersion } });

async function* lines(...events: readonly object[]): AsyncIterable<Uint8Array> {
  for (const event of events) yield Buffer.from(`${JSON.stringify(event)}\n`);
}

test("a watch that cannot go on is begun again, and nothing is told twice or missed", async () => {
  const lists = [
    { metadata: { resourceVersion: "2" }, items: [model("a", "1"), model("b", "2")] },
    { metadata: { resourceVersion: "9" }, items: [model("a", "1"), model("c", "9")] },
    { metadata: { resourceVersion: "9" }, items: [model("a", "1"), model("c", "9")] },
  ];
  const watches: (() => AsyncIterable<Uint8Array>)[] = [
    () => lines({ type: "ERROR", object: { code: 410 } }),
    () => {
      throw new PortError("Expired", "too old resource version");
    },
    () => lines({ type: "BOOKMARK", object: {} }, { type: "MODIFIED", object: model("a", "10") }),
  ];
  const asked: ApiRequest[] = [];
  const api: Api = {
    server: "",
    request: async () => lists.shift(),
    stream: async (request) => {
      asked.push(request);
      return watches.shift()!();
    },
    close: () => {},
  };
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const { type, object } of follow(api, inferenceServices, {
    namespace: "default",
    signal: stop.signal,
  }) as AsyncIterable<Change>) {
    seen.push(`${type} ${object.metadata.name} ${object.metadata.resourceVersion}`);
    if (object.metadata.resourceVersion === "10") break;
  }
  expect(seen).toEqual(["present a 1", "present b 2", "gone b 2", "present c 9", "present a 10"]);
  expect(asked.map(({ query }) => query?.["resourceVersion"])).toEqual(["2", "9", "9"]);
});

import { describe, expect, it } from "vitest";
import { PortError } from "../ports/index.js";
import type { AnyObject } from "./api/resources.js";
import type { Api } from "./context.js";
import { limitLines } from "./limitLines.js";

const revisions = "/apis/serving.knative.dev/v1/namespaces/default/revisions";
const routes = "/apis/networking.istio.io/v1/namespaces/default/virtualservices";

function api(lists: Readonly<Record<string, readonly object[]>>): Api & { readonly asked: string[] } {
  const asked: string[] = [];
  const refuse = async () => {
    throw new Error("nobody asks for a stream here");
  };
  return {
    asked,
    server: "https://127.0.0.1:1",
    async request<T>({ path, query }: { readonly path: string; readonly query?: object }) {
      asked.push(`${path} ${JSON.stringify(query ?? {})}`);
      const items = lists[path];
      if (items === undefined) throw new PortError("NotFound", `nothing at ${path}`);
      return { items } as T;
    },
    stream: refuse,
    close: () => {},
  };
}

const object = (apiVersion: string, kind: string, name: string, spec: object = {}): AnyObject =>
  ({ apiVersion, kind, metadata: { name, namespace: "default" }, spec }) as AnyObject;

const isvc = object("serving.kserve.io/v1beta1", "InferenceService", "iris");
const revision = (name: string, spec: object = {}) =>
  object("serving.knative.dev/v1", "Revision", name, spec);
const route = (name: string, host: string, rule: object = {}) =>
  object("networking.istio.io/v1", "VirtualService", name, {
    http: [{ route: [{ destination: { host } }], ...rule }],
  });

/** What each limit is, and who set it. */
const read = (lines: readonly string[]) =>
  new Map(
    lines
      .slice(2)
      .map((line) => line.trim().split(/ {2,}/))
      .map(([limit = "", ...rest]) => [limit, rest]),
  );

describe("the limits on the way", () => {
  it("are the object's own route's, its revision route's, and the newest Revision's", async () => {
    const asking = api({
      [revisions]: [
        revision("iris-00001", { timeoutSeconds: 1 }),
        revision("iris-00002", { timeoutSeconds: 60, containerConcurrency: 4, idleTimeoutSeconds: 9 }),
      ],
      [routes]: [
        route("iris", "knative-local-gateway.istio-system.svc.cluster.local", { timeout: "30s" }),
        route("iris-predictor-mesh", "iris-00002.default.svc.cluster.local", {
          timeout: "600s",
          retries: { attempts: 3, perTryTimeout: "7s" },
        }),
        route("other-mesh", "other-00001.default.svc.cluster.local", { timeout: "1s" }),
      ],
    });
    const lines = await limitLines(asking, isvc);
    expect(lines[0]).toBe("Limits:");
    expect(lines[1]).toMatch(/^ {2}On the way +Value +Set by$/);
    const limits = read(lines);
    expect(limits.get("route: each of 3 tries")).toEqual([
      "7s",
      "VirtualService default/iris-predictor-mesh",
    ]);
    expect(limits.get("pod: requests at once")).toEqual(["4", "Revision iris-00002 containerConcurrency"]);
    expect(limits.get("answer: from byte to byte")).toEqual(["9s", "Revision iris-00002 idleTimeoutSeconds"]);
    expect(limits.get("answer: last byte, from arrival, holding included")).toEqual([
      "60s",
      "Revision iris-00002 timeoutSeconds",
    ]);
    const whole = lines.filter((line) => line.includes("route: whole request"));
    expect(whole.map((line) => line.trim().split(/ {2,}/).slice(1))).toEqual([
      ["30s", "VirtualService default/iris"],
      ["600s", "VirtualService default/iris-predictor-mesh"],
    ]);
    expect(lines.join("\n")).not.toMatch(/other|iris-00001/);
    expect(asking.asked[0]).toContain("serving.kserve.io/inferenceservice=iris");
  });

  it("of a Revision are its own, without asking for others", async () => {
    const asking = api({ [routes]: [] });
    const limits = read(await limitLines(asking, revision("iris-00001", { timeoutSeconds: 5 })));
    expect(limits.get("pod leaves: killed after")).toEqual(["5s", "Revision iris-00001 timeoutSeconds"]);
    expect(asking.asked).toHaveLength(1);
  });

  it("are not asked for where no request goes, and not shown where the kinds are unknown", async () => {
    const asking = api({});
    expect(await limitLines(asking, object("v1", "Service", "iris"))).toEqual([]);
    expect(await limitLines(asking, object("serving.kserve.io/v1alpha1", "ServingRuntime", "r"))).toEqual([]);
    expect(asking.asked).toEqual([]);
    expect(await limitLines(asking, isvc)).toEqual([]);
    expect(asking.asked).toHaveLength(2);
  });

  it("that cannot be asked for because something broke are no silence", async () => {
    const broken: Api = { ...api({}), request: async () => Promise.reject(new TypeError("a bug")) };
    await expect(limitLines(broken, isvc)).rejects.toThrow("a bug");
  });
});

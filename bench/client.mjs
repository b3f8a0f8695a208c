// The API over HTTPS as a stranger's client uses it: requests on kept connections, and watches as streams of lines.
import { Agent, request } from "node:https";
import { readCa, readToken, wait } from "./lib.mjs";

export function apiClient({ port, ca, token }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const base = { host: "127.0.0.1", port, ca, servername: "localhost" };
  const authorization = `Bearer ${token}`;

  function call(method, path, body) {
    return new Promise((done, failed) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        authorization,
        ...(text !== undefined && {
          "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
          "content-length": Buffer.byteLength(text),
        }),
      };
      const asked = request({ ...base, agent, method, path, headers }, (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.on("end", () => {
          const all = Buffer.concat(parts).toString("utf8");
          if (answer.statusCode >= 300) failed(new Error(`${method} ${path}: ${answer.statusCode} ${all}`));
          else done(all.startsWith("{") ? JSON.parse(all) : all);
        });
      });
      asked.on("error", failed);
      asked.end(text);
    });
  }

  /** Each piece as it comes; resolves to what ends it, once the server has answered. */
  function stream(path, onBytes) {
    return new Promise((done, failed) => {
      const asked = request({ ...base, agent: false, path, headers: { authorization } }, (answer) => {
        if (answer.statusCode !== 200) failed(new Error(`GET ${path}: ${answer.statusCode}`));
        answer.on("data", onBytes);
        answer.on("error", () => {});
        done(() => asked.destroy());
      });
      asked.on("error", failed);
      asked.end();
    });
  }

  return {
    call,
    patch: (path, body) => call("PATCH", path, body),
    stream,
    /** Events as objects. */
    watch(path, onEvent) {
      let held = "";
      return stream(path, (bytes) => {
        const lines = (held + bytes.toString("utf8")).split("\n");
        held = lines.pop();
        for (const line of lines) onEvent(JSON.parse(line));
      });
    },
    close: () => agent.destroy(),
  };
}

/** A client of an instance that has just been started, once it serves and has its first objects. */
export async function servingClient(folder, port) {
  for (let tries = 0; tries < 3000; tries += 1) {
    try {
      const client = apiClient({ port, ca: readCa(folder), token: readToken(folder) });
      await client.call("GET", "/readyz");
      await client.call("GET", "/api/v1/namespaces/knative-serving/configmaps/config-autoscaler");
      await client.call("GET", "/apis/serving.kserve.io/v1alpha1/clusterservingruntimes/kserve-onnxserver");
      return client;
    } catch {
      await wait(10);
    }
  }
  throw new Error("the API did not serve");
}

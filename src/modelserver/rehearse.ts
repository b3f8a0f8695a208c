// Serving once, for nobody: what a first request would have to load and compile is then behind it.
import { request } from "node:http";
import type { Backend } from "./backend.js";
import { rehearsals } from "./limits.js";
import { parseOptions } from "./options.js";
import { serveModel } from "./server.js";

/** Asks the server what probes and predictions ask, and stops it; the backend stays as it is. */
export async function rehearse(backend: Backend, instances: readonly unknown[]): Promise<void> {
  const options = { ...parseOptions(["--backend=onnx"], {}), port: 0 };
  const server = await serveModel(backend, options);
  const body = JSON.stringify({ instances });
  for (let times = 0; times < rehearsals; times++) {
    await ask(server.port, "GET", `/v1/models/${options.modelName}`);
    await ask(server.port, "POST", `/v1/models/${options.modelName}:predict`, body);
  }
  await server.stop();
}

/** Answers at once, and the same to everybody. */
export const standIn: Backend = {
  platform: "",
  inputs: [],
  outputs: [],
  prepare: (instances) => ({ rows: instances.length, shape: undefined }),
  run: async (batch) => batch.map(({ rows }) => Array.from({ length: rows }, () => 0)),
  infer: async () => [],
  died: new Promise(() => {}),
  close: async () => {},
};

function ask(port: number, method: string, path: string, body?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, method, path, agent: false }, (answer) => {
      answer.resume();
      answer.once("error", reject);
      answer.once("end", () => {
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`the rehearsal of ${method} ${path} was answered ${answer.statusCode}`));
      });
    });
    asked.once("error", reject);
    asked.end(body);
  });
}

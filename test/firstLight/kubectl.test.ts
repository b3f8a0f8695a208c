// From `kubectl apply` to a prediction, with the machine's own kubectl and the examples as they are shipped.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Drydock, start } from "../../src/index.js";
import { describeWith } from "../needs.js";
import { runtimesHome } from "../runtimes.js";
import { root } from "../sources.js";

const run = promisify(execFile);
const input = readFileSync(join(root, "examples/iris-input.json"), "utf8");
const timeout = 120_000;

let drydock: Drydock;
let folder: string;

beforeAll(async () => {
  drydock = await start({ runtimesHome });
  folder = mkdtempSync(join(tmpdir(), "drydock-first-light-"));
  writeFileSync(join(folder, "kubeconfig"), drydock.kubeconfig, { mode: 0o600 });
});

afterAll(async () => {
  await drydock?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function kubectl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run("kubectl", args, { cwd: root, timeout, env: environment() });
  return stdout;
}

function environment(more: { readonly [name: string]: string } = {}) {
  return {
    ...process.env,
    KUBECONFIG: join(folder, "kubeconfig"),
    KUBECACHEDIR: join(folder, "cache"),
    ...more,
  };
}

/** By its host, as a client with no DNS does: the name in the Host header. */
async function predict(name: string): Promise<unknown> {
  const { stdout } = await run("curl", [
    "--silent",
    "--fail-with-body",
    "--max-time",
    "20",
    "--header",
    `Host: ${name}.default.localhost`,
    "--data",
    `@${join(root, "examples/iris-input.json")}`,
    `${drydock.gatewayUrl}/v1/models/${name}:predict`,
  ]);
  return JSON.parse(stdout);
}

describeWith(["kubectl", "version", "--client"], "kubectl", () => {
  it("serves the ONNX example: apply, wait, every level in get", { timeout }, async () => {
    expect(await kubectl("apply", "-f", "examples/onnx-iris.yaml")).toBe(
      "inferenceservice.serving.kserve.io/onnx-iris created\n",
    );
    await kubectl("wait", "--for=condition=Ready", "isvc/onnx-iris", "--timeout=60s");
    expect(await predict("onnx-iris")).toEqual({ predictions: [1, 1, 0] });
    const all = await kubectl(
      "get",
      "inferenceservice,ksvc,configuration,revision,route,deploy,rs,pod,virtualservice",
    );
    for (const shown of [
      /NAME +URL +READY +PREV +LATEST +PREVROLLEDOUTREVISION +LATESTREADYREVISION +AGE/,
      /inferenceservice\.serving\.kserve\.io\/onnx-iris +http:\/\/onnx-iris\.default\.localhost:\d+ +True +100 +onnx-iris-predictor-00001/,
      /service\.serving\.knative\.dev\/onnx-iris-predictor .* True/,
      /configuration\.serving\.knative\.dev\/onnx-iris-predictor +onnx-iris-predictor-00001 +onnx-iris-predictor-00001 +True/,
      /revision\.serving\.knative\.dev\/onnx-iris-predictor-00001 +onnx-iris-predictor +1 +True +1 +1/,
      /route\.serving\.knative\.dev\/onnx-iris-predictor .* True/,
      /deployment\.apps\/onnx-iris-predictor-00001-deployment +1\/1 +1 +1/,
      /replicaset\.apps\/onnx-iris-predictor-00001-deployment-\w+ +1 +1 +1/,
      /pod\/onnx-iris-predictor-00001-deployment-\w+-\w+ +1\/1 +Running +0/,
      /virtualservice\.networking\.istio\.io\/onnx-iris-predictor-mesh/,
    ]) {
      expect(all).toMatch(shown);
    }
    expect(await kubectl("describe", "isvc", "onnx-iris")).toMatch(
      /Normal +InferenceServiceReady .*InferenceService \[onnx-iris\] is Ready/,
    );
  });

  it("shows the seed's logs, follows, explains", { timeout }, async () => {
    const log = await kubectl("logs", "-l", "model=onnx-iris", "-c", "storage-initializer");
    expect(log).toMatch(
      /initializer-entrypoint:13\] Initializing, args: src_uri \[file:\/\/\/drydock\/examples\/models\/onnx-iris\]/,
    );
    expect(log).toMatch(/Successfully copied .* to \/mnt\/models/);
    expect(await follow("-l", "model=onnx-iris", "-c", "kserve-container")).toContain("onnx-iris");
    expect(await kubectl("explain", "inferenceservice.spec.predictor")).toMatch(
      /FIELD: predictor <Object>[\s\S]*minReplicas\t<integer>/,
    );
  });

  it("applies on the server's side, finds no difference, edits, rolls out, deletes and waits", {
    timeout,
  }, async () => {
    await kubectl("apply", "--server-side", "-f", "examples/onnx-iris.yaml");
    expect(await kubectl("diff", "-f", "examples/onnx-iris.yaml")).toBe("");
    const editor = join(folder, "editor");
    writeFileSync(editor, `#!/bin/sh\nsed -i 's#^  predictor:#  predictor:\\n    timeout: 60#' "$1"\n`, {
      mode: 0o755,
    });
    const { stdout } = await run("kubectl", ["edit", "isvc", "onnx-iris"], {
      timeout,
      env: environment({ EDITOR: editor }),
    });
    expect(stdout).toContain("edited");
    await kubectl(
      "wait",
      "--for=jsonpath={.status.components.predictor.latestReadyRevision}=onnx-iris-predictor-00002",
      "isvc/onnx-iris",
      "--timeout=60s",
    );
    await kubectl("rollout", "status", "deploy/onnx-iris-predictor-00002-deployment", "--timeout=60s");
    await kubectl("delete", "isvc", "onnx-iris", "--wait", "--timeout=60s");
    await kubectl("wait", "--for=delete", "pod", "-l", "model=onnx-iris", "--timeout=60s");
    expect(processesOf("onnx-iris")).toEqual([]);
  });

  it("answers as scikit-learn does in Python on the same file", { timeout }, async () => {
    await kubectl("apply", "-f", "examples/sklearn-iris.yaml");
    await kubectl("wait", "--for=condition=Ready", "isvc/sklearn-iris", "--timeout=100s");
    const [environmentFolder = ""] = readdirSync(join(runtimesHome, "runtimes")).filter((name) =>
      name.startsWith("sklearn"),
    );
    const script =
      "import json,sys,joblib; print(json.dumps(joblib.load(sys.argv[1]).predict(json.loads(sys.argv[2])['instances']).tolist()))";
    const { stdout } = await run(await pythonIn(environmentFolder), [
      "-c",
      script,
      join(root, "examples/models/sklearn-iris/model.joblib"),
      input,
    ]);
    expect(await predict("sklearn-iris")).toEqual({ predictions: JSON.parse(stdout) });
    await kubectl("delete", "-f", "examples/sklearn-iris.yaml");
  });

  it("rolls a new model out with no failed request", { timeout }, async () => {
    const manifest = (uri: string) => ({
      apiVersion: "serving.kserve.io/v1beta1",
      kind: "InferenceService",
      metadata: { name: "rolling" },
      spec: {
        predictor: {
          model: { modelFormat: { name: "onnx" }, storageUri: `file://${root}/examples/models/${uri}` },
        },
      },
    });
    await drydock.apply(manifest("onnx-iris"));
    await drydock.ready("isvc/rolling");
    let stop = false;
    const answers = new Map<string, number>();
    const ask = async (): Promise<void> => {
      while (!stop) {
        const answer = await fetch(
          `${drydock.gatewayUrl}/serving/default/rolling/v1/models/rolling:predict`,
          { method: "POST", body: input },
        )
          .then(async (response) => `${response.status} ${await response.text()}`)
          .catch((error: unknown) => String(error));
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    };
    const askers = Array.from({ length: 4 }, ask);
    for (const uri of ["onnx-iris/model.onnx", "onnx-iris", "onnx-iris/model.onnx"]) {
      await drydock.apply(manifest(uri));
      await drydock.ready("isvc/rolling");
      await new Promise((resolve) => setTimeout(resolve, 1_500));
    }
    stop = true;
    await Promise.all(askers);
    expect([...answers.keys()]).toEqual(['200 {"predictions":[1,1,0]}']);
    expect([...answers.values()][0]).toBeGreaterThan(100);
  });
});

/** The first lines of `logs -f`, which never ends by itself. */
function follow(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("kubectl", ["logs", "-f", ...args], { env: environment() });
    let text = "";
    const late = setTimeout(() => child.kill(), 20_000);
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      child.kill();
    });
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(late);
      resolve(text);
    });
  });
}

/** Command lines of model servers of this name, from the machine's own process table. */
function processesOf(name: string): readonly string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(`--model_name=${name} `) && line.includes(drydock.home));
}

async function pythonIn(environmentFolder: string): Promise<string> {
  const within = join(runtimesHome, "runtimes", environmentFolder);
  const { stdout } = await run("find", [within, "-path", "*/bin/python", "-not", "-path", "*/lib/*"]);
  return stdout.split("\n")[0] ?? "";
}

import { describe, expect, it } from "vitest";
import { PortError } from "../../ports/index.js";
import { processImages } from "./catalogue.js";

const images = processImages({
  version: "1.2.3",
  programs: { modelserver: "/app/modelserver.js", storageInitializer: "/app/storage-initializer.js" },
  ensureRuntime: async (name) => {
    if (name === "sklearn") throw new Error("no network");
    return { env: { DRYDOCK_ONNXRUNTIME: "/r" } };
  },
});
const signal = new AbortController().signal;

async function resolved(name: string) {
  const found = await images.resolve(name);
  if (found.outcome === "missing") throw new Error(found.because);
  return found.image;
}

describe("the catalogue of process images", () => {
  it.each([
    "drydock/onnxserver",
    "drydock/onnxserver:latest",
    "drydock/onnxserver:1.2.3",
    "docker.io/drydock/onnxserver:v1.2.3",
  ])("knows %s", async (name) => {
    const image = await resolved(name);
    expect(image.reference).toBe(name);
    expect(image.entrypoint.slice(1)).toEqual([
      "/app/modelserver.js",
      "--backend=onnx",
      "--model_dir=/mnt/models",
    ]);
    expect(image.digest).toMatch(/^drydock\/onnxserver@sha256:[0-9a-f]{64}$/);
  });

  it("gives the same digest for the same version, wherever it is installed", async () => {
    const { digest } = await resolved("drydock/onnxserver");
    expect((await resolved(digest)).digest).toBe(digest);
    const elsewhere = processImages({
      version: "1.2.3",
      programs: { modelserver: "/other.js", storageInitializer: "/x.js" },
      ensureRuntime: async () => ({ env: {} }),
    });
    expect(await elsewhere.resolve("drydock/onnxserver")).toMatchObject({ image: { digest } });
  });

  it.each([
    ["nginx:1.27", /nginx:1.27: not an image that runs as a process.*container engine/],
    ["drydock/onnxserver:9", /not found; this Drydock has drydock\/onnxserver:1.2.3/],
    ["drydock/onnxserver@sha256:00", /this Drydock \(1.2.3\) has drydock\/onnxserver@sha256/],
    ["constructor", /not an image/],
  ])("says why %s is missing", async (name, because) => {
    expect(await images.resolve(name)).toMatchObject({
      outcome: "missing",
      because: expect.stringMatching(because),
    });
  });

  it("makes the runtime ready, and passes on why it could not", async () => {
    const onnx = await resolved("drydock/onnxserver");
    expect(await images.ensure(onnx, { signal, onProgress() {} })).toEqual({
      env: { DRYDOCK_ONNXRUNTIME: "/r" },
    });
    const sklearn = await resolved("drydock/sklearnserver");
    const failed = images.ensure(sklearn, { signal, onProgress() {} });
    await expect(failed).rejects.toThrow("no network");
    await expect(failed).rejects.toBeInstanceOf(PortError);
    expect(await images.ensure(await resolved("drydock/host"), { signal, onProgress() {} })).toEqual({
      env: {},
    });
  });
});

import { describe, expect, it } from "vitest";
import { type ProcessImagesOptions, processImages } from "../adapters/process/index.js";
import type { ResolvedImage, Sandbox } from "../ports/index.js";
import { foresight } from "./foresight.js";

const pod = {
  initContainers: [{ name: "storage-initializer", image: "drydock/storage-initializer" }],
  containers: [
    { name: "model", image: "drydock/sklearnserver" },
    { name: "other", image: "nginx" },
    { name: "shell", image: "drydock/host" },
  ],
};

function world(
  ensureRuntime = async () => ({ env: { DRYDOCK_PYTHON: "/venv/bin/python" } }),
  more: Partial<ProcessImagesOptions> = {},
) {
  const warmed: ResolvedImage[] = [];
  const stirred: ResolvedImage[] = [];
  const sandbox = {
    warm: (image) => void warmed.push(image),
    stir: (image) => void stirred.push(image),
  } satisfies Partial<Sandbox>;
  const images = processImages({
    version: "1.0.0",
    programs: { modelserver: "modelserver.js", storageInitializer: "storage-initializer.js" },
    ensureRuntime,
    ...more,
  });
  const over = new AbortController();
  return {
    warmed,
    stirred,
    over,
    ...foresight({ images, sandbox: sandbox as unknown as Sandbox }, over.signal),
  };
}

const names = (images: readonly ResolvedImage[]) => images.map(({ reference }) => reference);

describe("pods that are not there yet", () => {
  it("have their programs loaded, with what these are given at a start", async () => {
    const { warm, warmed } = world();
    await warm(pod);
    expect(names(warmed)).toEqual(["drydock/storage-initializer", "drydock/sklearnserver"]);
    expect(warmed[1]?.env).toMatchObject({ DRYDOCK_PYTHON: "/venv/bin/python" });
  });

  it("are no reason to fail", async () => {
    const { warm, warmed } = world(() => Promise.reject(new Error("no space left")));
    await warm(pod);
    expect(names(warmed)).toEqual(["drydock/storage-initializer"]);
  });

  it("are forgotten when all ends", async () => {
    const { warm, warmed, over } = world();
    over.abort();
    await warm(pod);
    expect(warmed).toEqual([]);
  });

  it("have the same programs stirred when they are a moment away", async () => {
    const { stir, stirred } = world();
    stir(pod);
    await Promise.resolve();
    await Promise.resolve();
    expect(names(stirred)).toEqual(["drydock/storage-initializer", "drydock/sklearnserver", "drydock/host"]);
  });

  it("leave those asleep that they can do without", async () => {
    const { stir, stirred } = world(undefined, { initializeInside: async () => undefined });
    stir(pod);
    await Promise.resolve();
    await Promise.resolve();
    expect(names(stirred)).toEqual(["drydock/sklearnserver", "drydock/host"]);
  });
});

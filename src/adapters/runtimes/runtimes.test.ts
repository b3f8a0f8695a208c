import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import tar from "tar-stream";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runtimes } from "./index.js";
import { withLock } from "./lock.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const cache = process.env["DRYDOCK_TEST_RUNTIMES"] ?? join(root, ".drydock/test-home");

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "drydock-runtimes-"));
});
afterEach(() => rmSync(home, { recursive: true }));

describe("the ONNX runtime", () => {
  let installed: string;
  beforeAll(async () => {
    installed = (await runtimes({ home: cache }).ensure("onnx")).env["DRYDOCK_ONNXRUNTIME"]!;
  }, 300_000);

  it("is found again by a look at the disk", async () => {
    const startMs = performance.now();
    const { env } = await runtimes({ home: cache }).ensure("onnx", {
      onProgress: (line) => expect.unreachable(line),
    });
    expect(performance.now() - startMs).toBeLessThan(200);
    expect(createRequire(import.meta.url)(env["DRYDOCK_ONNXRUNTIME"]!).InferenceSession).toBeDefined();
  });

  it("keeps this machine's binaries and nothing else", () => {
    expect(readdirSync(join(installed, "bin/napi-v6"))).toEqual([process.platform]);
    expect(readdirSync(join(installed, "..")).filter((name) => !name.startsWith("."))).toEqual([
      "onnxruntime-common",
      "onnxruntime-node",
    ]);
  });

  it("is listed, installed or not", async () => {
    const [here] = await runtimes({ home: cache }).list();
    expect(here).toMatchObject({
      name: "onnx",
      installed: true,
      version: "1.30.0",
      path: join(installed, "../.."),
    });
    expect(here!.bytes).toBeLessThan(100e6);
    const none = await runtimes({ home }).list();
    expect(none.map(({ name, installed, bytes }) => [name, installed, bytes])).toEqual([
      ["onnx", false, 0],
      ["sklearn", false, 0],
    ]);
  });

  it("installs from a folder without a network, and sweeps what a killed installer left", async () => {
    const litter = join(home, "runtimes/.onnx-999999999-abc");
    mkdirSync(litter, { recursive: true });
    const lines: string[] = [];
    const onProgress = (line: string) => void lines.push(line);
    const { env } = await runtimes({ home }).install("onnx", { from: join(installed, ".."), onProgress });
    expect(existsSync(join(env["DRYDOCK_ONNXRUNTIME"]!, "package.json"))).toBe(true);
    expect(lines[0]).toBe("Installing ONNX Runtime 1.30.0, once for this machine");
    expect(lines.at(-1)).toMatch(/^Installed ONNX Runtime 1\.30\.0: \d+ MB in \d+ s$/);
    const left = readdirSync(join(home, "runtimes"));
    expect(left).toEqual([`onnx-1.30.0-${process.platform}-${process.arch}`]);
  });

  it("refuses a tarball that is not the pinned one, and a folder without it", async () => {
    const from = join(home, "files");
    mkdirSync(from);
    await expect(runtimes({ home }).install("onnx", { from })).rejects.toThrow(
      `${from} holds neither onnxruntime-node-1.30.0.tgz nor an unpacked onnxruntime-node 1.30.0 (found: nothing). ` +
        "Fetch it elsewhere with `npm pack onnxruntime-node@1.30.0`.",
    );
    writeFileSync(join(from, "onnxruntime-node-1.30.0.tgz"), "tampered");
    await expect(runtimes({ home }).install("onnx", { from })).rejects.toThrow(
      "onnxruntime-node-1.30.0.tgz does not have the pinned sha512. Fetch it again with `npm pack`.",
    );
    await expect(runtimes({ home }).install("onnx", { from: join(home, "gone") })).rejects.toThrow(
      "does not exist",
    );
    expect(readdirSync(join(home, "runtimes"))).toEqual([]);
  });

  it("installs from tarballs that have the pinned hash", async () => {
    const from = join(home, "files");
    const pins = join(home, "pins");
    mkdirSync(from);
    cpSync(join(root, "runtimes"), pins, { recursive: true });
    const lock = JSON.parse(readFileSync(join(pins, "onnx/package-lock.json"), "utf8"));
    for (const name of ["onnxruntime-node", "onnxruntime-common"]) {
      const platform = `bin/napi-v6/${process.platform}/${process.arch}/lib.so`;
      const tgz = await packed({
        "package.json": JSON.stringify({ name, main: "index.js" }),
        "index.js": "exports.ok = true",
        [platform]: "mine",
        "bin/napi-v6/plan9/mips/lib.so": "other",
      });
      writeFileSync(join(from, `${name}-1.30.0.tgz`), tgz);
      lock.packages[`node_modules/${name}`].integrity =
        `sha512-${createHash("sha512").update(tgz).digest("base64")}`;
    }
    writeFileSync(join(pins, "onnx/package-lock.json"), JSON.stringify(lock));
    const { env } = await runtimes({ home, pins }).install("onnx", { from });
    expect(readdirSync(join(env["DRYDOCK_ONNXRUNTIME"]!, "bin/napi-v6"))).toEqual([process.platform]);
  });

  it("says why npm failed and what to do next", async () => {
    // A registry that nobody answers at, and a cache that holds nothing.
    const env = {
      ...process.env,
      npm_config_registry: "http://127.0.0.1:9",
      npm_config_fetch_retries: "0",
      npm_config_cache: join(home, "cache"),
    };
    const failure = runtimes({ home, env }).ensure("onnx");
    await expect(failure).rejects.toThrow(
      /^npm could not install ONNX Runtime 1\.30\.0: .*ECONNREFUSED.*\. Check the network, or install from files with `drydock runtimes install onnx --from FOLDER`\.$/,
    );
    expect(readdirSync(join(home, "runtimes"))).toEqual([]);
  });

  it("can be given up", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    const env = {
      ...process.env,
      npm_config_registry: "http://127.0.0.1:9",
      npm_config_cache: join(home, "cache"),
    };
    await expect(runtimes({ home, env }).ensure("onnx", { signal: stop.signal })).rejects.toThrow(/abort/i);
    expect(readdirSync(join(home, "runtimes"))).toEqual([]);
  });
});

async function packed(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const pack = tar.pack();
  for (const [name, body] of Object.entries(files)) pack.entry({ name: `package/${name}` }, body);
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

describe("the scikit-learn runtime", () => {
  /** A program that stands where a Python is looked for. */
  function fakePython(script: string): NodeJS.ProcessEnv {
    const path = join(home, "python");
    writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { PATH: "/usr/bin:/bin", DRYDOCK_PYTHON_BIN: path };
  }
  const ensure = (env: NodeJS.ProcessEnv) => runtimes({ home, env }).ensure("sklearn");

  it.each([
    [
      "no Python at all",
      () => ({ PATH: "/no/such" }),
      /needs Python 3\.9 to 3\.14, looked for on PATH: none is on PATH\. Install one, or name it in DRYDOCK_PYTHON_BIN\.$/,
    ],
    [
      "one that does not exist",
      () => ({ DRYDOCK_PYTHON_BIN: "/no/python" }),
      /looked for on DRYDOCK_PYTHON_BIN=\/no\/python: spawn \/no\/python ENOENT\. Install/,
    ],
    ["one that is too old", () => fakePython("echo 3 6 /usr/bin/python3.6"), /python is 3\.6\. Install one/],
    [
      "one without venv",
      () =>
        fakePython('case "$*" in *venv*) echo "No module named venv" >&2; exit 1;; *) echo 3 11 $0;; esac'),
      /^Python 3\.11 \(.*\) has no venv module\. Install it \(Debian and Ubuntu: apt-get install python3-venv\), or name another Python in DRYDOCK_PYTHON_BIN\.$/,
    ],
    [
      "a pip that fails",
      () =>
        fakePython(
          `case "$*" in
            *"-m venv"*) mkdir -p $3/bin; cp $0 $3/bin/python;;
            *"-m pip"*) echo "ERROR: Could not find a version that satisfies the requirement numpy==9" >&2; exit 1;;
            *) echo 3 11 $0;;
          esac`,
        ),
      /^pip could not install scikit-learn 1\.6\.1: Could not find a version that satisfies the requirement numpy==9\. Fix that, then try again\.$/,
    ],
    [
      "wheels that are not the pinned ones",
      () =>
        fakePython(
          `case "$*" in
            *"-m venv"*) mkdir -p $3/bin; cp $0 $3/bin/python;;
            *"-m pip"*) echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE." >&2; exit 1;;
            *) echo 3 11 $0;;
          esac`,
        ),
      /The download differs from the pinned one: check the proxy or mirror it came through\.$/,
    ],
  ])("with %s fails with the cause and the next step", async (_name, env, message) => {
    await expect(ensure(env())).rejects.toThrow(message);
    expect(readdirSync(join(home, "runtimes")).filter((name) => !name.endsWith(".lock"))).toEqual([]);
  });

  const hasPython = spawnSync("python3", ["--version"]).status === 0;
  it.skipIf(!hasPython)(
    "answers with an interpreter that has the pinned versions (needs python3)",
    async () => {
      const { env } = await runtimes({ home: cache }).ensure("sklearn");
      const code = "import importlib.metadata as m; print(m.version('scikit-learn'), m.version('joblib'))";
      const ran = spawnSync(env["DRYDOCK_PYTHON"]!, ["-c", code], { encoding: "utf8" });
      expect(ran.stdout).toBe("1.6.1 1.4.2\n");
    },
    600_000,
  );
});

describe("the lock", () => {
  const options = { signal: undefined, onWait: () => {} };

  it("lets one in at a time, and tells the other whom it waits for", async () => {
    const path = join(home, "lock");
    const order: string[] = [];
    const waits: number[] = [];
    const first = withLock(path, options, async () => {
      order.push("first in");
      await new Promise((resolve) => setTimeout(resolve, 300));
      order.push("first out");
    });
    const second = withLock(path, { signal: undefined, onWait: (pid) => waits.push(pid) }, async () => {
      order.push("second in");
    });
    await Promise.all([first, second]);
    expect(order).toEqual(["first in", "first out", "second in"]);
    expect(waits[0]).toBe(process.pid);
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ["of a process that is gone", String(goneProcess()), 0],
    ["nobody touches any more", String(process.pid), 60],
  ])("%s is taken over", async (_name, content, ageSeconds) => {
    const path = join(home, "lock");
    writeFileSync(path, content);
    const then = new Date(Date.now() - ageSeconds * 1000);
    utimesSync(path, then, then);
    expect(await withLock(path, options, async () => "in")).toBe("in");
  });

  it("is not waited for after a stop", async () => {
    const path = join(home, "lock");
    writeFileSync(path, String(process.pid));
    const signal = AbortSignal.timeout(50);
    await expect(withLock(path, { signal, onWait: () => {} }, async () => "in")).rejects.toThrow();
  });
});

function goneProcess(): number {
  return spawnSync("true").pid;
}

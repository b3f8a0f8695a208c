// What tests with containers need: an engine, found as Drydock finds it, and images that are made here.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "tar-stream";
import { describe, it } from "vitest";
import type { EngineApi } from "../../src/adapters/engine/api.js";
import type { FoundEngine } from "../../src/adapters/engine/discover.js";
import { discoverEngine, surroundings } from "../../src/adapters/engine/index.js";
import { root } from "../sources.js";

const discovery = await discoverEngine(surroundings());
const missing = discovery.outcome === "missing" ? discovery.because : missingForImages();

/** A describe that is skipped, with the reason in its name, when no container engine runs here. */
export function describeWithEngine(title: string, body: (engine: FoundEngine) => void): void {
  if (discovery.outcome === "found" && missing === undefined) {
    describe(title, () => body(discovery.engine));
    return;
  }
  if (process.env["DRYDOCK_SKIP_NOTHING"] !== undefined) throw new Error(`${title}: ${missing}`);
  describe.skip(title, () => {
    it(`skipped: ${missing}`, () => {});
  });
}

/** What images are made of here: programs of this machine, which must be of the engine's kind. */
function missingForImages(): string | undefined {
  if (process.platform !== "linux")
    return "test images are made of programs of this machine, and it is no Linux";
  if (!existsSync("/bin/busybox")) return "no /bin/busybox (Debian: busybox-static)";
  if (!existsSync("/usr/bin/python3")) return "no /usr/bin/python3";
  return spawnSync("go", ["version"]).status === 0 ? undefined : "`go version` does not run here";
}

export interface ImageFile {
  readonly path: string;
  readonly content: Buffer | string;
  readonly mode?: number;
}

/** Builds an image from nothing but these files: `instructions` follow on FROM scratch. */
export async function buildImage(
  api: EngineApi,
  tag: string,
  files: readonly ImageFile[],
  instructions: readonly string[],
  platform?: string,
): Promise<void> {
  const archive = pack();
  for (const { path, content, mode = 0o644 } of files) archive.entry({ name: `files${path}`, mode }, content);
  archive.entry({ name: "Dockerfile" }, ["FROM scratch", "COPY files /", ...instructions, ""].join("\n"));
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  const told = await api.stream("POST", "/build", {
    query: { t: tag, rm: true, forcerm: true, ...(platform !== undefined && { platform, nocache: true }) },
    archive: Buffer.concat(chunks),
  });
  let text = "";
  for await (const chunk of told) text += String(chunk);
  const problem = /"error":"([^"]*)"/.exec(text)?.[1];
  if (problem !== undefined) throw new Error(`image ${tag} could not be built: ${problem}`);
}

const shellTag = "drydock.test/shell:1";

/** An image with a shell and the usual small programs: Debian's static busybox, and nothing else. */
export async function shellImage(api: EngineApi): Promise<string> {
  const busybox = readFileSync("/bin/busybox");
  await buildImage(
    api,
    shellTag,
    [{ path: "/bin/busybox", content: busybox, mode: 0o755 }],
    ['RUN ["/bin/busybox", "--install", "-s", "/bin"]'],
  );
  return shellTag;
}

const serverTag = "drydock.test/go:1";

/** A server in Go, linked statically and alone in its image. */
export async function goImage(api: EngineApi): Promise<string> {
  await buildImage(
    api,
    serverTag,
    [{ path: "/server", content: goProgram(), mode: 0o755 }],
    ["ENV FROM_IMAGE=yes", 'ENTRYPOINT ["/server"]', 'CMD ["from-image"]'],
  );
  return serverTag;
}

/** A server in Node: the program that runs this test, the libraries it is linked to, and the script. */
export async function nodeImage(api: EngineApi): Promise<string> {
  const node = realpathSync(process.execPath);
  await buildImage(
    api,
    "drydock.test/node:1",
    [
      ...withLibraries(node, "/usr/bin/node"),
      { path: "/app/server.mjs", content: readFileSync(join(root, "test/containers/servers/server.mjs")) },
    ],
    ["WORKDIR /app", 'CMD ["/usr/bin/node", "server.mjs"]', "USER 1000:1000"],
  );
  return "drydock.test/node:1";
}

/** A server in Python, with Debian's own interpreter and its standard library. */
export async function pythonImage(api: EngineApi): Promise<string> {
  const version = execFileSync("/usr/bin/python3", [
    "-c",
    "import sys; print('%d.%d' % sys.version_info[:2])",
  ]);
  const library = `/usr/lib/python${version.toString().trim()}`;
  await buildImage(
    api,
    "drydock.test/python:1",
    [
      ...withLibraries(realpathSync("/usr/bin/python3"), "/usr/bin/python3"),
      ...folderFiles(library, /\/(__pycache__|test|idlelib|ensurepip|config-[^/]*|lib2to3)\//),
      { path: "/server.py", content: readFileSync(join(root, "test/containers/servers/server.py")) },
    ],
    ["ENV PYTHONDONTWRITEBYTECODE=1", 'ENTRYPOINT ["/usr/bin/python3"]', 'CMD ["/server.py"]'],
  );
  return "drydock.test/python:1";
}

/** A program of this machine, and what it is linked to where the linker looks for it. */
function withLibraries(program: string, path: string): readonly ImageFile[] {
  const linked = execFileSync("ldd", [program])
    .toString()
    .matchAll(/(?:=> )?(\/\S+) \(0x/g);
  return [
    { path, content: readFileSync(program), mode: 0o755 },
    ...[...linked].map(([, library = ""]) => ({
      path: library,
      content: readFileSync(library),
      mode: 0o755,
    })),
  ];
}

function folderFiles(folder: string, without: RegExp): readonly ImageFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !without.test(path))
    .map((path) => ({ path, content: readFileSync(path) }));
}

/** A Go program of test/containers, linked statically; built once, and again when its source changed. */
export function goProgram(environment: NodeJS.ProcessEnv = {}): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "drydock-go-"));
  const out = join(folder, "server");
  execFileSync("go", ["build", "-trimpath", "-ldflags=-s -w", "-o", out, "."], {
    cwd: join(root, "test/containers/go"),
    env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", ...environment },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return readFileSync(out);
}

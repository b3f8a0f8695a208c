import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { discoverEngine, type Surroundings } from "./discover.js";

let home: string;
const servers: Server[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "engine-"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(home, { recursive: true, force: true });
});

/** Something that answers like an engine, on a socket. */
async function engineAt(path: string, version: object): Promise<string> {
  await mkdir(join(path, ".."), { recursive: true });
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(version));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  servers.push(server);
  return `unix://${path}`;
}

const docker = { Version: "28.1.0", Arch: "arm64" };
const podman = { Version: "5.4.0", Arch: "amd64", Components: [{ Name: "Podman Engine", Version: "5.4.0" }] };
const below = (path: string) => path.startsWith(home);
const around = (env: Surroundings["env"] = {}): Surroundings => ({
  env,
  home,
  platform: "linux",
  hasSocket: (path) => below(path) && servers.some((server) => server.address() === path),
});

describe("an engine is found", () => {
  it("where DOCKER_HOST says, and nowhere else", async () => {
    await engineAt(join(home, ".colima/default/docker.sock"), docker);
    const url = await engineAt(join(home, "own.sock"), podman);
    expect(await discoverEngine(around({ DOCKER_HOST: url }))).toMatchObject({
      outcome: "found",
      engine: { name: "Podman", version: "5.4.0", address: { url, from: "DOCKER_HOST" } },
    });
    expect(await discoverEngine(around({ DOCKER_HOST: `unix://${home}/none.sock` }))).toEqual({
      outcome: "missing",
      because: expect.stringMatching(
        /^no container engine answers at unix:.*none\.sock.*ENOENT.*correct DOCKER_HOST$/s,
      ),
    });
  });

  it("where the docker command's current context leads", async () => {
    const url = await engineAt(join(home, "desktop.sock"), docker);
    const id = createHash("sha256").update("desktop-linux").digest("hex");
    const meta = join(home, ".docker/contexts/meta", id);
    await mkdir(meta, { recursive: true });
    await writeFile(join(home, ".docker/config.json"), '{"currentContext":"desktop-linux"}');
    await writeFile(join(meta, "meta.json"), JSON.stringify({ Endpoints: { docker: { Host: url } } }));
    expect(await discoverEngine(around())).toMatchObject({
      engine: { name: "Docker", architecture: "arm64", address: { from: "docker context desktop-linux" } },
    });
    expect(await discoverEngine(around({ DOCKER_CONTEXT: "gone" }))).toMatchObject({
      outcome: "missing",
      because: 'the docker context "gone" does not exist: docker context use default',
    });
  });

  it.each([
    [".docker/run/docker.sock", "Docker Desktop"],
    [".orbstack/run/docker.sock", "OrbStack"],
    [".colima/default/docker.sock", "Colima"],
    [".rd/docker.sock", "Rancher Desktop"],
    ["run/podman/podman.sock", "rootless Podman"],
  ])("at %s", async (path, from) => {
    await engineAt(join(home, path), podman);
    expect(await discoverEngine(around({ XDG_RUNTIME_DIR: join(home, "run") }))).toMatchObject({
      engine: { address: { from } },
    });
  });

  it("behind a socket that nobody serves any more", async () => {
    await engineAt(join(home, ".colima/default/docker.sock"), docker);
    const dead = {
      ...around(),
      hasSocket: (path: string) => below(path) && /colima.default|docker.run/.test(path),
    };
    expect(await discoverEngine(dead)).toMatchObject({ engine: { address: { from: "Colima" } } });
  });
});

describe("where none is found", () => {
  it.each([
    [
      "nothing is installed",
      [],
      /^no container engine was found \(looked at .*install and start Docker, Podman/,
    ],
    [
      "Podman does not serve its API",
      ["podman"],
      /API service does not run: systemctl --user start podman\.socket$/,
    ],
    ["Docker does not run", ["docker"], /no engine for it runs: start Docker$/],
  ])("says what would help when %s", async (_name, programs, because) => {
    const bin = join(home, "bin");
    await mkdir(bin);
    for (const name of programs) await writeFile(join(bin, name), "");
    expect(await discoverEngine(around({ PATH: bin }))).toEqual({
      outcome: "missing",
      because: expect.stringMatching(because),
    });
  });
});

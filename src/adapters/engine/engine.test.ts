// The parts of the container sandbox that can be judged without an engine.
import { describe, expect, it } from "vitest";
import { type ContainerSpec, PortError, type Walls } from "../../ports/index.js";
import { demuxer } from "./demux.js";
import { createBody, startError } from "./hostConfig.js";
import { helpWithPull } from "./pullHelp.js";
import { normalizedReference, repositoryOf } from "./reference.js";

describe("output in frames", () => {
  const frame = (stream: number, text: string) => {
    const head = Buffer.alloc(8);
    head[0] = stream;
    head.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  const whole = Buffer.concat([frame(1, "out"), frame(2, "error"), frame(1, ""), frame(1, "more")]);

  it.each([1, 2, 3, 7, 8, 9, 1_000])("is the same in pieces of %i bytes", (size) => {
    const take = demuxer();
    const heard = { stdout: "", stderr: "" };
    for (let at = 0; at < whole.length; at += size) {
      for (const { stream, bytes } of take(whole.subarray(at, at + size)))
        heard[stream] += Buffer.from(bytes).toString();
    }
    expect(heard).toEqual({ stdout: "outmore", stderr: "error" });
  });

  it("is refused when it is something else", () => {
    expect(() => demuxer()(Buffer.from("plain text, no frames"))).toThrow("not cut into frames");
  });
});

describe("an image's name", () => {
  it.each([
    ["hello", "docker.io/library/hello:latest"],
    ["me/hello:1", "docker.io/me/hello:1"],
    ["index.docker.io/me/hello", "docker.io/me/hello:latest"],
    ["localhost:5000/hello", "localhost:5000/hello:latest"],
    ["gcr.io/a/b:c@sha256:0", "gcr.io/a/b@sha256:0"],
  ])("%s is %s in full", (short, full) => {
    expect(normalizedReference(short)).toBe(full);
    expect(full.startsWith(repositoryOf(short))).toBe(true);
  });
});

const walls: Walls = {
  hostname: "a-pod",
  podPorts: [],
  sharesNetwork: false,
  hostAliases: [{ ip: "10.0.0.1", name: "db" }],
  user: undefined,
  group: undefined,
  extraGroups: [],
  capabilities: { add: [], drop: [] },
  isPrivileged: false,
  mayGainPrivileges: true,
  isUnconfined: false,
  hasReadOnlyRoot: false,
  cpuRequest: undefined,
  memoryMounts: [],
};

const spec = (more: Partial<ContainerSpec> = {}, wish: Partial<Walls> = {}): ContainerSpec => ({
  id: "1",
  pod: { namespace: "n", name: "p", uid: "u" },
  name: "c",
  image: {
    reference: "i",
    digest: "i@sha256:0",
    entrypoint: [],
    defaultArgs: [],
    env: {},
    rewritesPaths: false,
  },
  command: ["/server", "--port", "1"],
  env: { A: "1" },
  workingDir: undefined,
  mounts: [],
  ports: [{ containerPort: 8080, hostPort: 20_000 }],
  home: "/h",
  memoryLimitBytes: undefined,
  cpuLimit: undefined,
  onOutput() {},
  walls: { ...walls, ...wish },
  ...more,
});
const own = { network: "own" as const, namesAll: false, labels: {}, hasSelinux: false };

describe("what the engine is told", () => {
  it.each<[string, ContainerSpec, object]>([
    [
      "the whole command, so that nothing of the image's own is added",
      spec(),
      { Entrypoint: ["/server"], Cmd: ["--port", "1"] },
    ],
    [
      "its user, the image's where only a group is named",
      spec({ image: { ...spec().image, user: "app:app" } }, { group: 7 }),
      { User: "app:7" },
    ],
    [
      "ports, on loopback",
      spec(),
      { HostConfig: { PortBindings: { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "20000" }] } } },
    ],
    ["names of its own", spec(), { Hostname: "a-pod", HostConfig: { ExtraHosts: ["db:10.0.0.1"] } }],
    [
      "no swap beside a limit of memory",
      spec({ memoryLimitBytes: 1e8 }),
      { HostConfig: { Memory: 1e8, MemorySwap: 1e8 } },
    ],
    [
      "a limit and a share of the processor",
      spec({ cpuLimit: 0.5 }, { cpuRequest: 0.1 }),
      { HostConfig: { CpuPeriod: 100_000, CpuQuota: 50_000, CpuShares: 102 } },
    ],
    [
      "capabilities, however they are written",
      spec({}, { capabilities: { add: ["net_bind_service"], drop: ["all"] } }),
      { HostConfig: { CapAdd: ["CAP_NET_BIND_SERVICE"], CapDrop: ["ALL"] } },
    ],
    [
      "a /tmp to write in beside a root that is read-only",
      spec({}, { hasReadOnlyRoot: true }),
      { HostConfig: { ReadonlyRootfs: true, Tmpfs: { "/tmp": "rw,mode=1777" } } },
    ],
    [
      "no way up",
      spec({}, { mayGainPrivileges: false }),
      { HostConfig: { SecurityOpt: ["no-new-privileges"] } },
    ],
  ])("has %s", (_name, asked, told) => {
    expect(createBody(asked, own)).toMatchObject(told);
  });

  it("names no port and no host in another container's network", () => {
    const body = createBody(spec(), { ...own, network: { of: "other" } }) as { HostConfig: object };
    expect(body.HostConfig).toMatchObject({ NetworkMode: "container:other" });
    expect(body.HostConfig).not.toHaveProperty("PortBindings");
    expect(body).not.toHaveProperty("Hostname");
  });

  it("leaves a /tmp that is mounted alone", () => {
    const mounts = [{ containerPath: "/tmp", hostPath: "/v", readOnly: false }];
    expect(createBody(spec({ mounts }, { hasReadOnlyRoot: true }), own)).toMatchObject({
      HostConfig: { Tmpfs: {} },
    });
  });
});

describe("what helps an engine that cannot pull", () => {
  const place = { engine: "Podman", architecture: "amd64", host: "registry.lan:5000" } as const;
  it.each([
    ["http: server gave HTTP response to HTTPS client", /registry\.lan:5000 has no TLS.*registries\.conf/],
    [
      "x509: certificate signed by unknown authority",
      /\/etc\/containers\/certs\.d\/registry\.lan:5000\/ca\.crt/,
    ],
    ["toomanyrequests: You have reached your pull rate limit", /limits how often it is asked/],
    ['no image found in manifest list for architecture "amd64"', /not built for amd64/],
    ["unauthorized: authentication required", /imagePullSecret.*podman login/],
  ])("%s", (said, help) => {
    expect(helpWithPull(said, place)).toMatch(help);
  });

  it("is Docker's own where the engine is Docker, and nothing where nobody knows", () => {
    const docker = { ...place, engine: "Docker" } as const;
    expect(helpWithPull("http: server gave HTTP response to HTTPS client", docker)).toContain("daemon.json");
    expect(helpWithPull("manifest unknown", place)).toBeUndefined();
  });
});

describe("why a container did not start", () => {
  it.each([
    [
      "Unknown",
      'preparing container ab12 for attach: runc: exec: "x": executable file not found in $PATH',
      "Invalid",
      'runc: exec: "x": executable file not found in $PATH',
    ],
    [
      "Unknown",
      "driver failed: Bind for 127.0.0.1:80 failed: port is already allocated",
      "Conflict",
      "driver failed: Bind for 127.0.0.1:80 failed: port is already allocated",
    ],
    [
      "ServiceUnavailable",
      "the container engine does not answer",
      "ServiceUnavailable",
      "the container engine does not answer",
    ],
  ] as const)("%s: %s", (reason, said, wanted, message) => {
    expect(startError(new PortError(reason, said))).toMatchObject({ reason: wanted, message });
  });
});

// A Drydock with an engine in a process of its own, so that a test can kill it the hard way.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transpile } from "../kubelet/supervisor.js";
import { root } from "../sources.js";

/** Starts two containers that share a network, made from the sources as they are. */
export async function startKillable(
  home: string,
  engineUrl: string,
  image: string,
): Promise<{ readonly child: ChildProcess; readonly started: Promise<void> }> {
  const out = mkdtempSync(join(home, "built-"));
  for (const folder of ["ports", "adapters/engine", "adapters/clock"]) transpile(folder, out);
  writeFileSync(join(out, "package.json"), '{"type":"module"}');
  symlinkSync(join(root, "node_modules"), join(out, "node_modules"));
  writeFileSync(join(out, "main.js"), script(out, home, image));
  const child = spawn(process.execPath, [join(out, "main.js")], {
    env: { ...process.env, DOCKER_HOST: engineUrl },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const started = new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (said: Buffer) => said.includes("started") && resolve());
    child.once("exit", (code) => reject(new Error(`it ended before it had started anything, with ${code}`)));
  });
  return { child, started };
}

function script(out: string, home: string, image: string): string {
  const from = (name: string) => JSON.stringify(pathToFileURL(join(out, "adapters", name, "index.js")).href);
  return `
import { containerEngine } from ${from("engine")};
import { systemClock } from ${from("clock")};
const log = { info() {}, error(...said) { console.error(...said); } };
const engine = containerEngine({ home: ${JSON.stringify(home)}, clock: systemClock(), log });
const { sandbox, images } = await engine.open();
await engine.sweep(() => new Set());
const { image } = await images.resolve(${JSON.stringify(image)});
const walls = {
  hostname: "pod", podPorts: [], sharesNetwork: true, hostAliases: [], user: undefined, group: undefined,
  extraGroups: [], capabilities: { add: [], drop: [] }, isPrivileged: false, mayGainPrivileges: true,
  isUnconfined: false, hasReadOnlyRoot: false, cpuRequest: undefined, memoryMounts: [],
};
const start = (name, port) => sandbox.start({
  id: (name + process.pid).padEnd(64, "0"), name, pod: { namespace: "killed", name: "pod", uid: "uid-" + process.pid },
  image, command: ["/server"], env: { PORT: String(port) }, workingDir: undefined, mounts: [], ports: [],
  home: "/", memoryLimitBytes: undefined, cpuLimit: undefined, walls, onOutput() {},
});
await Promise.all([start("a", 8001), start("b", 8002)]);
console.log("started");
setInterval(() => {}, 1000);
`;
}

/**
 * The instance under test, from outside: started with the real command, seen through /proc. What belongs to it carries
 * a mark in its environment, or has its home below ours, or came of the server.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { apiClient } from "./api.mjs";
import { allProcesses, commandOf, environmentOf, familyOf, isAlive, kill, processOf } from "./processes.mjs";

const startWithinMs = 60_000;
/** The reaper looks a second time after a second, and a gateway may have requests to finish. */
const goneWithinMs = 5_000;

export function makeInstance({ root, home, apiPort, gatewayPort }) {
  const mark = `DRYDOCK_CRASH_RUN=${randomUUID()}`;
  const markName = mark.slice(0, mark.indexOf("="));
  const env = { ...process.env, DRYDOCK_HOME: home, [markName]: mark.slice(markName.length + 1) };

  function roleOf(one) {
    const command = commandOf(one);
    if (command.includes("/cmd/detached.js")) return "server";
    if (command.includes("/cmd/gateway.js")) return "gateway";
    if (environmentOf(one).some((setting) => setting.startsWith(`HOME=${home}/`))) return "model";
    if (command.startsWith("/bin/sh") && command.includes("read -r folder")) return "reaper";
    return command.startsWith("/bin/sh") ? "shell" : "other";
  }

  function isMarked(one) {
    return environmentOf(one).some((setting) => setting === mark || setting.startsWith(`HOME=${home}/`));
  }

  /** Everything that is the instance's now; shells that wait for work are known only by their parent. */
  function members() {
    const all = allProcesses();
    const marked = all.filter(isMarked);
    const family = familyOf(serverPid(), all);
    const pids = new Set(marked.map(({ pid }) => pid));
    return [...marked, ...family.filter(({ pid }) => !pids.has(pid))].map((one) => ({
      ...one,
      role: roleOf(one),
    }));
  }

  /** Who has the home: 0, which nobody is, when nobody has. */
  function serverPid() {
    const file = join(home, "instance.lock");
    const [pid, start] = (existsSync(file) ? readFileSync(file, "utf8") : "").trim().split(" ");
    return processOf(Number(pid))?.start === start ? Number(pid) : 0;
  }

  function run(...words) {
    const child = spawn(process.execPath, [join(root, "bin/drydock"), ...words], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        said += text;
      });
    }
    return new Promise((resolve) => child.once("close", (code) => resolve({ code, said: said.trim() })));
  }

  const up = () => run("up", "--detach", "--api-port", `${apiPort}`, "--gateway-port", `${gatewayPort}`);

  /** Time from the command to the first 200 on /readyz; a start that fails is a problem of the round. */
  async function start() {
    const startedMs = performance.now();
    const command = up();
    let ended;
    void command.then((done) => {
      ended = done;
    });
    let serveMs;
    while (serveMs === undefined) {
      if (ended !== undefined && ended.code !== 0) throw new Error(`the start failed: ${ended.said}`);
      if (performance.now() - startedMs > startWithinMs) throw new Error("the start takes too long");
      if ((await listens(apiPort)) && (await isReady())) serveMs = performance.now() - startedMs;
      else await wait(10);
    }
    const { code, said } = await command;
    if (code !== 0) throw new Error(`the start failed: ${said}`);
    return { serveMs, startedMs };
  }

  async function isReady() {
    const kubeconfig = join(home, "kubeconfig");
    if (!existsSync(kubeconfig)) return false; // a fresh home gets it last
    const client = apiClient(kubeconfig);
    const answer = await client.call("GET", "/readyz").catch(() => undefined);
    client.close();
    return answer?.status === 200;
  }

  /** Kills these roles, in this order, as far as they are there; gives how many. */
  function killRoles(seen, roles) {
    const chosen = roles.flatMap((role) => seen.filter((one) => one.role === role));
    for (const one of chosen) kill(one);
    return chosen.length;
  }

  /** Until nobody is left who could start another one. */
  function killEverything() {
    for (let rounds = 0; rounds < 50; rounds += 1) {
      const seen = members();
      if (seen.length === 0) return;
      for (const one of seen) kill(one);
    }
  }

  /** Who was there before, or says it is ours, and does not come of the server that runs now. */
  async function orphans(before) {
    const deadline = performance.now() + goneWithinMs;
    for (;;) {
      const all = allProcesses();
      const family = new Set(familyOf(serverPid(), all).map(({ pid }) => pid));
      const known = new Set(before.filter(isAlive).map(({ pid }) => pid));
      const left = all.filter((one) => !family.has(one.pid) && (known.has(one.pid) || isMarked(one)));
      if (left.length === 0 || performance.now() > deadline) {
        return left.map((one) => `${roleOf(one)} ${one.pid} (${commandOf(one).slice(0, 120)})`);
      }
      await wait(25);
    }
  }

  /** A record of a pid that now is somebody else: whoever sweeps must leave that one alone. */
  function plantRecord(pid) {
    for (const life of lives(home)) {
      writeFileSync(join(home, "run", life, "planted.pid"), `${pid} 1\n`);
    }
  }

  return { up, start, down: () => run("down"), members, killRoles, killEverything, orphans, plantRecord };
}

/** The folders of records, one a life. One without an owner never had anything to record. */
export function lives(home) {
  const folder = join(home, "run");
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => existsSync(join(folder, name, "owner")));
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

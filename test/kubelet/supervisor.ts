// A sandbox in a process of its own, so that a test can kill it the hard way.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { root } from "../sources.js";

/** What the sandbox is made of. */
const folders = ["ports", "adapters/process", "adapters/clock"];

/** Starts one container that runs a shell script; resolves with the pid its output names. */
export async function buildSupervisor(
  home: string,
  code: string,
): Promise<{ child: ChildProcess; pid: number }> {
  const out = mkdtempSync(join(home, "built-"));
  for (const folder of folders) transpile(folder, out);
  writeFileSync(join(out, "package.json"), '{"type":"module"}');
  const main = join(out, "main.js");
  writeFileSync(main, supervisorScript(out, home, code));
  const child = spawn(process.execPath, [main], { stdio: ["ignore", "pipe", "inherit"] });
  const pid = await new Promise<number>((resolve) => {
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const named = /pid (\d+)/.exec(text)?.[1];
      if (named !== undefined) resolve(Number(named));
    });
  });
  return { child, pid };
}

export function transpile(folder: string, out: string): void {
  const compilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2023,
    verbatimModuleSyntax: true,
  };
  mkdirSync(join(out, folder), { recursive: true });
  for (const name of readdirSync(join(root, "src", folder))) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    const source = readFileSync(join(root, "src", folder, name), "utf8");
    const { outputText } = ts.transpileModule(source, { compilerOptions });
    writeFileSync(join(out, folder, name.replace(/\.ts$/, ".js")), outputText);
  }
}

function supervisorScript(out: string, home: string, code: string): string {
  const door = (name: string) => JSON.stringify(pathToFileURL(join(out, "adapters", name, "index.js")).href);
  return `
import { processSandbox } from ${door("process")};
import { systemClock } from ${door("clock")};
const sandbox = await processSandbox({ runFolder: ${JSON.stringify(join(home, "run"))}, clock: systemClock() });
await sandbox.start({
  id: "c", name: "c", pod: { namespace: "n", name: "p", uid: "u" },
  image: { reference: "x", digest: "x", entrypoint: [], defaultArgs: [], env: {}, rewritesPaths: false },
  command: ["/bin/sh", "-c", ${JSON.stringify(code)}], env: {}, workingDir: undefined, mounts: [], ports: [],
  home: ${JSON.stringify(join(home, "home"))}, memoryLimitBytes: undefined, cpuLimit: undefined,
  onOutput: (_stream, chunk) => void process.stdout.write(chunk),
});
setInterval(() => {}, 1000);
`;
}

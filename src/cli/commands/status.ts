// `drydock status`: what runs where, whether it is well, and what this machine can serve.
import { inferenceServices, isReady, listObjects } from "../api/resources.js";
import type { Context, Instance, RuntimeRow, Tool } from "../context.js";
import { errorLine, Quiet, usageError } from "../errors.js";
import { pairs } from "../output/columns.js";
import { instanceBlock } from "../output/instanceBlock.js";
import { objectText } from "../output/objects.js";
import { paint } from "../output/style.js";
import { runningInstance } from "../session.js";
import { sizeText } from "../size.js";
import { durationText } from "../time.js";

type Health =
  | { readonly healthy: true; readonly models: number; readonly ready: number }
  | { readonly healthy: false; readonly because: string };

export async function status(context: Context, options: { readonly output?: string }): Promise<void> {
  const { terminal, clock } = context;
  const { output } = options;
  if (output !== undefined && output !== "json" && output !== "yaml")
    throw usageError("-o takes json or yaml.");
  const instance = await runningInstance(context);
  const [health, runtimes, tools] = await Promise.all([
    healthOf(context, instance),
    context.runtimes().then((installer) => installer.list()),
    context.tools(),
  ]);
  const upMs = clock.now() - Date.parse(instance.startedAt);

  if (output !== undefined) {
    const { api, gateway, kubeconfig, dataDir, pid, version, startedAt } = instance;
    const facts = {
      api: { url: api.url },
      gateway: {
        url: gateway.url,
        localUrl: gateway.localUrl,
        ...(gateway.httpsUrl === undefined ? {} : { httpsUrl: gateway.httpsUrl }),
      },
      kubeconfig,
      dataDir,
      pid,
      version,
      health: health.healthy ? "ok" : health.because,
      startedAt,
      uptimeSeconds: Math.max(0, Math.round(upMs / 1000)),
      runtimes,
      tools,
    };
    terminal.out(await objectText(facts, output));
  } else {
    const colors = paint(terminal.outColors);
    const state = health.healthy ? colors.green("healthy") : colors.red("not well");
    terminal.out(
      `${colors.bold(`Drydock ${instance.version}`)} is running (pid ${instance.pid}) for ${durationText(upMs)}: ${state}\n\n`,
    );
    terminal.out(instanceBlock(instance, colors));
    const rows: (readonly [string, string])[] = [
      ["Models", health.healthy ? `${health.models}, ${health.ready} ready` : health.because],
      ...runtimes.map((row) => [`Runtime ${row.name}`, runtimeText(row)] as const),
      ...tools.map((tool) => [titled(tool.name), toolText(tool)] as const),
    ];
    terminal.out(`\n${pairs(rows, "  ").join("\n")}\n`);
  }
  if (!health.healthy) throw new Quiet(1);
}

async function healthOf(context: Context, instance: Instance): Promise<Health> {
  try {
    const api = await context.instances.connect(instance);
    try {
      await api.request({ path: "/readyz", accept: "*/*" });
      const { items } = await listObjects(api, inferenceServices, undefined);
      return { healthy: true, models: items.length, ready: items.filter(isReady).length };
    } finally {
      api.close();
    }
  } catch (error) {
    return { healthy: false, because: errorLine(error) };
  }
}

function runtimeText({ installed, version, bytes }: RuntimeRow): string {
  return installed ? `${version}, installed (${sizeText(bytes)})` : `${version}, installed when first needed`;
}

function toolText({ found, gives }: Tool): string {
  return found === undefined ? `not found: ${gives}` : `${found}: ${gives}`;
}

function titled(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

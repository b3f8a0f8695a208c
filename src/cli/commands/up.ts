// `drydock up`: starts the server and the gateway, and shows how the models fare until it is told to end.
import type { Context, Instance, StartOptions } from "../context.js";
import { usageError } from "../errors.js";
import { instanceBlock } from "../output/instanceBlock.js";
import { progress } from "../output/live.js";
import { paint } from "../output/style.js";
import { showModels } from "../showModels.js";

export interface UpOptions {
  readonly detach?: boolean;
  readonly apiPort?: string;
  readonly gatewayPort?: string;
  readonly gatewayTlsPort?: string;
  readonly bind?: string;
  readonly domain?: string;
}

export async function up(context: Context, options: UpOptions): Promise<void> {
  const { terminal, instances } = context;
  const colors = paint(terminal.outColors);
  const start: StartOptions = {
    apiPort: portOf("--api-port", options.apiPort),
    gatewayPort: portOf("--gateway-port", options.gatewayPort),
    gatewayTlsPort: portOf("--gateway-tls-port", options.gatewayTlsPort),
    bind: options.bind,
    domain: options.domain,
  };
  const running = await instances.find();
  if (running !== undefined) {
    terminal.out(`Drydock ${running.version} is already running (pid ${running.pid}).\n\n`);
    return terminal.out(instanceBlock(running, colors));
  }

  const shown = progress(terminal);
  const notes: string[] = [];
  const say = (line: string): void => {
    // What is worth knowing after the start too must not pass with the progress.
    if (line.startsWith("note: ")) notes.push(line);
    else shown.say(line);
  };
  const announce = (instance: Instance): void => {
    shown.done();
    for (const note of notes) terminal.err(`${colors.yellow(note)}\n`);
    terminal.out(`${colors.bold(`Drydock ${instance.version}`)} is running (pid ${instance.pid}).\n\n`);
    terminal.out(`${instanceBlock(instance, colors)}\n`);
  };

  try {
    if (options.detach) {
      announce(await instances.startDetached(start, say));
      return terminal.out(`Stop it with ${colors.bold("drydock down")}.\n`);
    }
    const started = await instances.start(start, say);
    announce(started.instance);
    terminal.out(`${colors.dim("Ctrl-C stops it.")}\n\n`);
    try {
      await showModels(context, started.instance);
    } finally {
      terminal.err("\nStopping: requests under way are finished first. Ctrl-C again ends at once.\n");
      await started.close((line) => terminal.err(`${line}\n`));
    }
    terminal.err("Stopped.\n");
  } finally {
    shown.done();
  }
}

function portOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw usageError(`${option} must be a port from 0 to 65535 (0 takes a free one), not "${text}".`);
}

// The grammar of the command line. Each command's code is loaded only when it runs.
import { Command, type CommanderError, Option } from "commander";
import type { ApplyOptions } from "./commands/apply.js";
import type { AutoscaleOptions } from "./commands/autoscale.js";
import type { DeleteOptions } from "./commands/delete.js";
import type { DeployOptions } from "./commands/deploy.js";
import type { GetOptions } from "./commands/get.js";
import type { LogsOptions } from "./commands/logs.js";
import type { PredictOptions } from "./commands/predict.js";
import type { UpOptions } from "./commands/up.js";
import type { Context } from "./context.js";
import { exitCodes, usageError } from "./errors.js";
import type { Scope } from "./targets.js";

export function makeProgram(context: Context): Command {
  const { terminal, version } = context;
  const program = new Command("drydock")
    .description("Serves models the way KServe and Knative promise: one command, no cluster.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      getOutHelpWidth: () => Math.min(terminal.columns, widestHelp),
      getErrHelpWidth: () => Math.min(terminal.columns, widestHelp),
      getOutHasColors: () => terminal.outColors,
      getErrHasColors: () => terminal.errColors,
      // Told by run(), in one line with what to do next.
      outputError: () => {},
    })
    .configureHelp({ sortSubcommands: false, sortOptions: false });

  program.commandsGroup("The instance:");
  instanceCommands(program, context);
  program.commandsGroup("Models:");
  modelCommands(program, context);
  program.commandsGroup("Objects (the everyday verbs of kubectl):");
  objectCommands(program, context);
  program.commandsGroup("More:");
  otherCommands(program, context);
  program.helpCommand("help [command]", "show help for a command");
  program.addHelpText(
    "after",
    "\nEnvironment:\n" +
      "  DRYDOCK_HOME    where data, keys and runtimes are kept (default: ~/.drydock)\n" +
      "  DRYDOCK_SPARES  how many loaded model servers wait for the next pod (default: 2; 0 saves memory)\n" +
      "  DRYDOCK_DEBUG   1 shows where an error came from\n" +
      "  NO_COLOR        no colours\n",
  );
  return program;
}

const widestHelp = 100;

function instanceCommands(program: Command, context: Context): void {
  program
    .command("up")
    .description("start the server and the gateway")
    .option("-d, --detach", "run in the background, and return when it is ready")
    .option("--api-port <port>", "port of the API; 0 takes a free one (default: 16443, or a free one)")
    .option(
      "--gateway-port <port>",
      "port of the gateway; 0 takes a free one (default: 18080, or a free one)",
    )
    .option(
      "--gateway-tls-port <port>",
      "port of the gateway with TLS, open once a Gateway brings a certificate; 0 takes a free one (default: 18443)",
    )
    .option("--bind <address>", "address to listen on (default: 127.0.0.1)")
    .option("--domain <domain>", "what the hosts of models end in (default: localhost)")
    .action(async (options: UpOptions) => (await import("./commands/up.js")).up(context, options));
  program
    .command("down")
    .description("stop the instance; its data stays")
    .action(async () => (await import("./commands/down.js")).down(context));
  program
    .command("status")
    .description("what runs where, and whether it is well")
    .option("-o, --output <format>", "json or yaml")
    .action(async (options: { output?: string }) =>
      (await import("./commands/status.js")).status(context, options),
    );
  program
    .command("crds")
    .description("print the CustomResourceDefinitions of KServe, Knative and Istio kinds, for a cluster")
    .action(async () => (await import("./commands/crds.js")).crds(context));
  program
    .command("kubeconfig")
    .description("print a kubeconfig for kubectl, client-go or Python")
    .option("--merge", 'add it to $KUBECONFIG or ~/.kube/config as the context "drydock"')
    .action(async (options: { merge?: boolean }) =>
      (await import("./commands/kubeconfig.js")).kubeconfig(context, options),
    );
}

function modelCommands(program: Command, context: Context): void {
  program
    .command("deploy")
    .description("serve a model")
    .argument("<name>", "name of the InferenceService")
    .requiredOption("-m, --model <uri>", "where the model is: a path of this machine, or a URI")
    .option("--format <format>", "onnx, sklearn, ...; guessed from the file names when they tell")
    .option("-n, --namespace <namespace>", "namespace (default: default)")
    .option("-w, --wait", "return when the model is ready")
    .option("--timeout <duration>", "how long to wait", "5m")
    .option("--dry-run <mode>", "client: send nothing; with -o yaml this prints the InferenceService")
    .option("-o, --output <format>", "json or yaml")
    .action(async (name: string, options: DeployOptions) =>
      (await import("./commands/deploy.js")).deploy(context, name, options),
    );
  program
    .command("predict")
    .description("call a model through the gateway")
    .argument("<name>", "name of the InferenceService")
    .requiredOption("-d, --data <json>", "the request: JSON, @FILE, or - for standard input")
    .option("-n, --namespace <namespace>", "namespace (default: default)")
    .option("--path <path>", "another path than /v1/models/NAME:predict")
    .action(async (name: string, options: PredictOptions) =>
      (await import("./commands/predict.js")).predict(context, name, options),
    );
}

function objectCommands(program: Command, context: Context): void {
  program
    .command("apply")
    .description("make objects be as files say")
    .requiredOption(
      "-f, --filename <file>",
      "file, folder, or - for standard input; may be repeated",
      collect,
    )
    .option("-n, --namespace <namespace>", "namespace for objects that name none (default: default)")
    .option("--server-side", "stop at fields that others manage")
    .option("--force-conflicts", "with --server-side: take those fields over")
    .addOption(new Option("--dry-run <mode>", "server: check, and store nothing").choices(["server"]))
    .option("-o, --output <format>", "json, yaml or name")
    .action(async (options: ApplyOptions) => (await import("./commands/apply.js")).apply(context, options));
  program
    .command("get")
    .description("show objects")
    .argument("<kind>", "kind (plural, singular, short or KIND.GROUP; several with commas), or KIND/NAME")
    .argument("[names...]", "names")
    .option("-n, --namespace <namespace>", "namespace (default: default)")
    .option("-A, --all-namespaces", "in all namespaces")
    .option("-l, --selector <labels>", "only objects with these labels")
    .option("--field-selector <fields>", "only objects with these fields")
    .option("-o, --output <format>", "wide, json, yaml or name")
    .option("-w, --watch", "go on showing changes")
    .option("--show-labels", "show labels in the last column")
    .option("--no-headers", "leave the heads of columns out")
    .option("--ignore-not-found", "what is not there is no failure")
    .action(async (kind: string, names: string[], options: GetOptions) =>
      (await import("./commands/get.js")).get(context, [kind, ...names], options),
    );
  program
    .command("describe")
    .description("show objects in words, with their events")
    .argument("<kind>", "kind, or KIND/NAME")
    .argument("[names...]", "names")
    .option("-n, --namespace <namespace>", "namespace (default: default)")
    .action(async (kind: string, names: string[], options: Scope) =>
      (await import("./commands/describe.js")).describe(context, [kind, ...names], options),
    );
  program
    .command("delete")
    .description("delete objects")
    .argument("[kind]", "kind, or KIND/NAME")
    .argument("[names...]", "names")
    .option("-f, --filename <file>", "delete what these files name; may be repeated", collect)
    .option("-n, --namespace <namespace>", "namespace (default: default)")
    .option("-A, --all-namespaces", "with -l or --all: in all namespaces")
    .option("-l, --selector <labels>", "objects with these labels")
    .option("--all", "all objects of the kind")
    .option("--ignore-not-found", "what is not there is no failure")
    .option("--grace-period <seconds>", "how long to let it end by itself", wholeNumber("--grace-period"))
    .option("--wait [true|false]", "return when the objects are gone", truth("--wait"), true)
    .action(async (kind: string | undefined, names: string[], options: DeleteOptions) =>
      (await import("./commands/delete.js")).remove(
        context,
        kind === undefined ? [] : [kind, ...names],
        options,
      ),
    );
  program
    .command("logs")
    .description("show what a container wrote")
    .argument("<pod>", "a pod, or isvc/NAME, ksvc/NAME, revision/NAME")
    .option("-n, --namespace <namespace>", "namespace (default: default)")
    .option("-c, --container <name>", "container, such as storage-initializer")
    .option("-f, --follow", "go on showing what comes")
    .option("-p, --previous", "of the container before its last restart")
    .option("--tail <lines>", "only the last lines; -1 shows all", wholeNumber("--tail"))
    .option("--since <duration>", "only what is newer, such as 90s or 1h")
    .option("--timestamps", "begin each line with its time")
    .action(async (pod: string, options: LogsOptions) =>
      (await import("./commands/logs.js")).logs(context, pod, options),
    );
}

function otherCommands(program: Command, context: Context): void {
  const runtimes = program.command("runtimes").description("model runtimes on this machine");
  runtimes
    .command("list")
    .description("which are installed, and where")
    .option("-o, --output <format>", "json or yaml")
    .action(async (options: { output?: string }) =>
      (await import("./commands/runtimes.js")).listRuntimes(context, options),
    );
  runtimes
    .command("install")
    .description("install one ahead of time, or from files without a network")
    .argument("<name>", "onnx or sklearn")
    .option("--from <path>", "a folder or file to install from")
    .action(async (name: string, options: { from?: string }) =>
      (await import("./commands/runtimes.js")).installRuntime(context, name, options),
    );
  program
    .command("autoscale")
    .description("replay a trace of traffic: how many pods would have been there")
    .requiredOption("--replay <trace.csv>", "rows of seconds,concurrency or seconds,rps")
    .option(
      "--set <key=value>",
      "an autoscaling annotation or a key of config-autoscaler; may be repeated",
      collect,
    )
    .option("--service-time <duration>", "how long a pod works on a request", "100ms")
    .option(
      "--container-concurrency <count>",
      "how many requests a pod works on at once; 0 is without limit",
      wholeNumber("--container-concurrency"),
      0,
    )
    .option("--pod-start <duration>", "from wanted to ready", "1s")
    .option("--svg <file>", "draw it into this file, too")
    .option("-o, --output <format>", "json: every second")
    .action(async (options: AutoscaleOptions) =>
      (await import("./commands/autoscale.js")).autoscale(context, options),
    );
  program
    .command("demo")
    .description("the whole line once, on data of its own: deploy, predict, clean up")
    .action(async () => (await import("./commands/demo.js")).demo(context));
  program
    .command("version")
    .description("print the version")
    .option("-o, --output <format>", "json or yaml")
    .action(async (options: { output?: string }) =>
      (await import("./commands/version.js")).printVersion(context, options),
    );
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function wholeNumber(option: string): (text: string) => number {
  return (text) => {
    if (!/^-?\d+$/.test(text)) throw usageError(`${option} must be a whole number, not "${text}".`);
    return Number(text);
  };
}

function truth(option: string): (text: string) => boolean {
  return (text) => {
    if (text === "true" || text === "false") return text === "true";
    throw usageError(`${option} must be true or false, not "${text}".`);
  };
}

/** What a CommanderError comes to: 0 for help that was asked for, 2 for words that make no sense. */
export function grammarExit(
  error: CommanderError,
  words: readonly string[],
): { code: number; line?: string } {
  if (error.exitCode === 0) return { code: 0 };
  const message = error.message.replace(/^error: /, "").trim();
  // Called with nothing, it has shown its help.
  if (error.code === "commander.help") return { code: exitCodes.usage };
  const command = words.find((word) => !word.startsWith("-"));
  const known = error.code !== "commander.unknownCommand" && command !== undefined;
  const line = `error: ${message.replaceAll("\n", " ")}. See \`drydock ${known ? `${command} ` : ""}--help\`.`;
  return { code: exitCodes.usage, line };
}

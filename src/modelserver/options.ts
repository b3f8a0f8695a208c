// The command line and environment of a model server, upstream's spelling included.

import { StartupError } from "./errors.js";
import { defaultKeepAliveSeconds, defaultMaxBatchRows, defaultMaxBodyBytes } from "./limits.js";

export type BackendName = "onnx" | "sklearn";

export interface Options {
  readonly backend: BackendName;
  readonly modelName: string;
  readonly modelDir: string;
  /** The path a user knows the model folder by. */
  readonly modelDirLabel: string;
  readonly host: string;
  readonly port: number;
  readonly maxBatchRows: number;
  readonly maxBodyBytes: number;
  readonly keepAliveSeconds: number;
  readonly threads: number;
  readonly predictProba: boolean;
  /** Arguments of upstream's servers that mean nothing here. */
  readonly ignored: readonly string[];
}

type Env = Readonly<Record<string, string | undefined>>;

const known = new Set([
  "backend",
  "model_name",
  "model_dir",
  "http_port",
  "host",
  "max_batch_size",
  "max_buffer_size",
  "timeout_keep_alive",
  "onnx_threads",
]);

export function parseOptions(args: readonly string[], env: Env): Options {
  const { given, ignored } = readFlags(args);
  const modelDir = given.get("model_dir") ?? "/mnt/models";
  return {
    backend: backendName(given.get("backend")),
    modelName: given.get("model_name") ?? "model",
    modelDir,
    modelDirLabel: env["DRYDOCK_MODEL_DIR_LABEL"] || modelDir,
    host: given.get("host") ?? (env["HOST"] || "127.0.0.1"),
    port:
      whole("PORT", env["PORT"], 0, 65_535) ??
      whole("--http_port", given.get("http_port"), 0, 65_535) ??
      8080,
    maxBatchRows: whole("--max_batch_size", given.get("max_batch_size"), 1, 1_000_000) ?? defaultMaxBatchRows,
    maxBodyBytes: whole("--max_buffer_size", given.get("max_buffer_size"), 1, 2 ** 31) ?? defaultMaxBodyBytes,
    keepAliveSeconds:
      whole("--timeout-keep-alive", given.get("timeout_keep_alive"), 1, 86_400) ?? defaultKeepAliveSeconds,
    threads: whole("--onnx_threads", given.get("onnx_threads"), 1, 256) ?? 1,
    predictProba: env["PREDICT_PROBA"]?.toLowerCase() === "true",
    ignored,
  };
}

function readFlags(args: readonly string[]) {
  const given = new Map<string, string>();
  const ignored: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (!arg.startsWith("--")) throw new StartupError(`Unexpected argument "${arg}".`);
    const equals = arg.indexOf("=");
    const flag = equals === -1 ? arg : arg.slice(0, equals);
    let value = equals === -1 ? undefined : arg.slice(equals + 1);
    const next = args[at + 1];
    if (value === undefined && next !== undefined && !next.startsWith("--")) {
      value = next;
      at += 1;
    }
    const name = flag.slice(2).replaceAll("-", "_");
    if (!known.has(name)) ignored.push(flag);
    else if (value === undefined) throw new StartupError(`Argument ${flag} needs a value.`);
    else given.set(name, value);
  }
  return { given, ignored };
}

function backendName(value: string | undefined): BackendName {
  if (value === "onnx" || value === "sklearn") return value;
  throw new StartupError(`Argument --backend must be onnx or sklearn, not ${value ?? "missing"}.`);
}

function whole(what: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new StartupError(`${what} must be a whole number from ${min} to ${max}, not "${text}".`);
}

// Finds a cluster and a credential in a kubeconfig file, as kubectl would.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { PortError } from "../../ports/index.js";
import type { KubeClientOptions } from "./kubeClient.js";
import { limits } from "./limits.js";
import type { Credential } from "./transport.js";

export interface Kubeconfig {
  readonly client: KubeClientOptions;
  readonly context: string;
  /** Where commands act unless told otherwise. */
  readonly namespace: string;
}

interface ClusterEntry {
  readonly server?: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "tls-server-name"?: string;
}

interface UserEntry {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly exec?: ExecEntry;
}

interface ExecEntry {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
}

interface File {
  readonly "current-context"?: string;
  readonly clusters?: readonly { readonly name: string; readonly cluster: ClusterEntry }[] | null;
  readonly users?: readonly { readonly name: string; readonly user: UserEntry }[] | null;
  readonly contexts?:
    | readonly {
        readonly name: string;
        readonly context: { readonly cluster: string; readonly user: string; readonly namespace?: string };
      }[]
    | null;
}

/** `nowMs` is asked when a credential that ends is looked at. */
export async function loadKubeconfig(
  path: string,
  { context: wanted, nowMs }: { readonly context?: string; readonly nowMs: () => number },
): Promise<Kubeconfig> {
  const { parse } = await import("yaml");
  const file = parse(readText(path)) as File | null;
  const name = wanted ?? file?.["current-context"] ?? "";
  const context = file?.contexts?.find((one) => one.name === name)?.context;
  if (context === undefined) throw missing(path, "context", name);
  const cluster = file?.clusters?.find((one) => one.name === context.cluster)?.cluster;
  if (cluster?.server === undefined) throw missing(path, "cluster", context.cluster);
  const user = file?.users?.find((one) => one.name === context.user)?.user ?? {};

  // Paths in a kubeconfig are meant from where the file lies.
  const near = (relative: string) => readText(resolve(dirname(path), relative));
  const either = (data: string | undefined, relative: string | undefined): string | undefined => {
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    return relative === undefined ? undefined : near(relative);
  };
  const cert = either(user["client-certificate-data"], user["client-certificate"]);
  const key = either(user["client-key-data"], user["client-key"]);
  const certificate = cert === undefined || key === undefined ? {} : { cert, key };
  const { tokenFile, exec } = user;

  return {
    context: name,
    namespace: context.namespace ?? "default",
    client: {
      server: cluster.server,
      ca: either(cluster["certificate-authority-data"], cluster["certificate-authority"]),
      insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"],
      tlsServerName: cluster["tls-server-name"],
      ...certificate,
      token: user.token,
      credential:
        exec !== undefined
          ? fromPlugin(exec, nowMs)
          : tokenFile !== undefined && user.token === undefined
            ? // Read each time: tokens in files are renewed under our feet.
              async () => ({ ...certificate, token: near(tokenFile).trim() })
            : undefined,
    },
  };
}

function fromPlugin(exec: ExecEntry, nowMs: () => number): () => Promise<Credential> {
  let kept: { readonly credential: Credential; readonly untilMs: number } | undefined;
  return async () => {
    if (kept !== undefined && nowMs() < kept.untilMs - limits.renewMs) return kept.credential;
    const apiVersion = exec.apiVersion ?? "client.authentication.k8s.io/v1";
    const env = {
      ...process.env,
      ...Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: JSON.stringify({
        apiVersion,
        kind: "ExecCredential",
        spec: { interactive: false },
      }),
    };
    const { stdout } = await promisify(execFile)(exec.command, exec.args ?? [], {
      env,
      timeout: limits.pluginMs,
    }).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new PortError(
        "Unauthorized",
        [`the credential plugin ${exec.command} failed: ${why}`, exec.installHint]
          .filter((text) => text)
          .join("\n"),
        {
          cause: error,
        },
      );
    });
    const { status } = JSON.parse(stdout) as {
      readonly status?: {
        readonly token?: string;
        readonly clientCertificateData?: string;
        readonly clientKeyData?: string;
        readonly expirationTimestamp?: string;
      };
    };
    const credential: Credential = {
      ...(status?.token === undefined ? {} : { token: status.token }),
      ...(status?.clientCertificateData === undefined ? {} : { cert: status.clientCertificateData }),
      ...(status?.clientKeyData === undefined ? {} : { key: status.clientKeyData }),
    };
    const untilMs =
      status?.expirationTimestamp === undefined
        ? Number.POSITIVE_INFINITY
        : Date.parse(status.expirationTimestamp);
    kept = { credential, untilMs };
    return credential;
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new PortError(
      "NotFound",
      `cannot read ${path}: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}

function missing(path: string, what: string, name: string): PortError {
  const which = name === "" ? `names no current ${what}` : `has no ${what} ${JSON.stringify(name)}`;
  return new PortError("NotFound", `the kubeconfig ${path} ${which}`);
}

// One Gateway in, what it opens out: for which hosts of which namespaces, with or without TLS. What a cluster's load
// balancer would publish as ports is here the plain and the TLS port of the same listener.

import type { Gateway, GatewayServer } from "./gateway.types.js";
import { gather, hostOf, invalid, only, unsupported } from "./reading.js";
import type { RouteFault } from "./routing.types.js";

export interface GatewayInput {
  readonly metadata?:
    | { readonly name?: string | undefined; readonly namespace?: string | undefined }
    | undefined;
  readonly spec?: Gateway["spec"];
}

export interface ServerTls {
  /** A Secret, by name in the Gateway's namespace or as `NAMESPACE/NAME`. */
  readonly credentialName: string | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly minVersion: "TLSv1.2" | "TLSv1.3" | undefined;
  readonly maxVersion: "TLSv1.2" | "TLSv1.3" | undefined;
  readonly ciphers: string | undefined;
}

export interface ParsedServer {
  readonly port: number;
  readonly hosts: readonly {
    /** undefined admits VirtualServices of any. */
    readonly namespace: string | undefined;
    readonly host: string;
  }[];
  /** Undefined without TLS. */
  readonly tls: ServerTls | undefined;
  readonly httpsRedirect: boolean;
}

export interface ParsedGateway {
  readonly key: string;
  readonly source: GatewayInput;
  readonly namespace: string;
  readonly selector: { readonly [label: string]: string };
  readonly servers: readonly ParsedServer[];
}

export type GatewayResult =
  | { readonly outcome: "parsed"; readonly parsed: ParsedGateway }
  | { readonly outcome: "rejected"; readonly faults: readonly RouteFault[] };

export function parseGateway(object: GatewayInput): GatewayResult {
  const { name = "", namespace = "default" } = object.metadata ?? {};
  const faults: RouteFault[] = [];
  const servers = object.spec?.servers ?? [];
  gather([servers], faults, () => {
    if (servers.length === 0) throw invalid("spec.servers", "a Gateway needs at least one server");
  });
  const parsed = gather(servers, faults, (server, index) =>
    readServer(server, `spec.servers[${index}]`, namespace),
  );
  if (faults.length > 0) return { outcome: "rejected", faults };
  return {
    outcome: "parsed",
    parsed: {
      key: `${namespace}/${name}`,
      source: object,
      namespace,
      selector: object.spec?.selector ?? {},
      servers: parsed,
    },
  };
}

const serverKnown = new Set(["name", "hosts", "port", "tls", "bind"]);
const plainProtocols = new Set(["HTTP", "HTTP2", "GRPC", "GRPC-WEB"]);

function readServer(server: GatewayServer, path: string, namespace: string): ParsedServer {
  only(server, path, serverKnown);
  const { hosts = [], port, tls } = server;
  const number = port?.number ?? 0;
  if (number < 1 || number > 65_535) throw invalid(`${path}.port.number`, `${number} is not a port`);
  const protocol = (port?.protocol ?? "").toUpperCase();
  const secure = protocol === "HTTPS";
  if (!secure && !plainProtocols.has(protocol))
    throw unsupported(
      `${path}.port.protocol`,
      `${JSON.stringify(port?.protocol ?? "")} is not served: only HTTP, HTTPS, HTTP2 and GRPC are`,
    );
  if (hosts.length === 0) throw invalid(`${path}.hosts`, "a server needs at least one host");
  if (secure && tls === undefined) throw invalid(`${path}.tls`, "an HTTPS server needs TLS settings");
  if (!secure && tls?.mode !== undefined && tls.mode !== "")
    throw invalid(`${path}.tls.mode`, `a server of ${protocol} has no TLS of its own: say HTTPS`);
  return {
    port: number,
    hosts: hosts.map((host, index) => readHost(host, `${path}.hosts[${index}]`, namespace)),
    tls: secure && tls !== undefined ? readTls(tls, `${path}.tls`) : undefined,
    httpsRedirect: !secure && tls?.httpsRedirect === true,
  };
}

function readHost(text: string, path: string, namespace: string): ParsedServer["hosts"][number] {
  const slash = text.indexOf("/");
  const within = slash < 0 ? "*" : text.slice(0, slash);
  const host = hostOf(text.slice(slash + 1), path);
  return { host, namespace: within === "*" ? undefined : within === "." ? namespace : within };
}

const tlsKnown = new Set([
  "mode",
  "credentialName",
  "serverCertificate",
  "privateKey",
  "httpsRedirect",
  "minProtocolVersion",
  "maxProtocolVersion",
  "cipherSuites",
]);

function readTls(tls: NonNullable<GatewayServer["tls"]>, path: string): ServerTls {
  const { mode, credentialName, serverCertificate, privateKey } = tls;
  // The first word of the list is Istio's default, and it would pass bytes through unread.
  if (mode !== "SIMPLE")
    throw unsupported(`${path}.mode`, `${mode || "PASSTHROUGH"} is not served: only SIMPLE is`);
  only(tls, path, tlsKnown);
  if (!credentialName && !(serverCertificate && privateKey))
    throw invalid(path, "SIMPLE needs a credentialName, or a serverCertificate and a privateKey");
  return {
    credentialName: credentialName || undefined,
    certificateFile: credentialName ? undefined : serverCertificate,
    keyFile: credentialName ? undefined : privateKey,
    minVersion: version(tls.minProtocolVersion, `${path}.minProtocolVersion`),
    maxVersion: version(tls.maxProtocolVersion, `${path}.maxProtocolVersion`),
    ciphers: tls.cipherSuites === undefined ? undefined : tls.cipherSuites.join(":"),
  };
}

function version(word: string | undefined, path: string): ServerTls["minVersion"] {
  switch (word) {
    case undefined:
    case "":
    case "TLS_AUTO":
      return undefined;
    case "TLSV1_2":
      return "TLSv1.2";
    case "TLSV1_3":
      return "TLSv1.3";
    default:
      throw unsupported(path, `${JSON.stringify(word)} is not spoken: only TLSV1_2 and TLSV1_3 are`);
  }
}

/** Istio mounts such a folder from an optional Secret in its own namespace, whose name has `istio-` before it. */
const mounted = /^\/etc\/istio\/([a-z0-9.-]+)\/tls\.(?:crt|key)$/;
const gatewayNamespace = "istio-system";

export interface CertificatePlaces {
  /** Secrets as `NAMESPACE/NAME`, the first that exists counts. */
  readonly secrets: readonly string[];
  /** Whoever installed the gateway may have left it out. */
  readonly optional: boolean;
}

/** Where the certificate of a server is looked for. */
export function certificatePlaces(tls: ServerTls, namespace: string): CertificatePlaces {
  const { credentialName, certificateFile = "" } = tls;
  if (credentialName !== undefined) {
    const secrets = credentialName.includes("/")
      ? [credentialName]
      : [`${namespace}/${credentialName}`, `${gatewayNamespace}/${credentialName}`];
    return { secrets, optional: false };
  }
  const mount = mounted.exec(certificateFile)?.[1];
  return {
    secrets: mount === undefined ? [] : [`${gatewayNamespace}/istio-${mount}`],
    optional: mount !== undefined,
  };
}

/** What of a VirtualService's host a server admits: the narrower of the two names, or nothing. */
export function admittedHost(server: string, host: string): string | undefined {
  if (covers(server, host)) return host;
  return covers(host, server) ? server : undefined;
}

function covers(wide: string, narrow: string): boolean {
  if (wide === "*" || wide === narrow) return true;
  return wide.startsWith("*") && narrow.endsWith(wide.slice(1)) && narrow.length > wide.length - 1;
}

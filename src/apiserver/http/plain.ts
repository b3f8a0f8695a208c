// The paths outside the resources: health, version, figures, discovery and schemas.
import { limits } from "../limits.js";
import { refusal } from "../status.js";
import { negotiate } from "./accept.js";
import type { Call } from "./call.js";
import type { Discovery } from "./discovery.js";
import type { OpenApi } from "./openapi.js";
import { answer, send } from "./respond.js";

export const version = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.0+drydock",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: process.release.name,
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
};

export interface Plain {
  readonly discovery: Discovery;
  readonly openapi: OpenApi;
}

export async function answerPlain(call: Call, { discovery, openapi }: Plain): Promise<void> {
  const { request, path } = call;
  const where = path.length > 1 ? path.replace(/\/+$/, "") : path;
  if (request.method !== "GET" && request.method !== "HEAD") {
    if (where === "/api" || where === "/apis" || where === "/version") {
      throw refusal(
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
        {},
      );
    }
    return notThere(call);
  }
  switch (where) {
    case "/":
      return answer(call, 200, { paths: pathsOf(discovery) });
    case "/version":
      return answer(call, 200, version);
    case "/livez":
    case "/readyz":
    case "/healthz":
      return answerHealth(call, where.slice(1));
    case "/metrics":
      return send(call, 200, "text/plain; version=0.0.4; charset=utf-8", await figuresOf(call));
    case "/api":
      return answerGroups(call, discovery, true);
    case "/apis":
      return answerGroups(call, discovery, false);
    case "/openapi/v3":
      return send(call, 200, "application/json", openapi.index());
    case "/.well-known/openid-configuration":
      return answer(call, 200, {
        issuer: "https://kubernetes.default.svc.cluster.local",
        jwks_uri: "/openid/v1/jwks",
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
      });
    case "/openid/v1/jwks":
      return answer(call, 200, call.house.tokens.jwks());
  }
  if (where.startsWith("/openapi/v3/")) return answerSchemas(call, openapi, where);
  const [, root, group = "", more] = where.split("/");
  if (root === "apis" && more === undefined) {
    const found = discovery.group(group);
    if (found !== undefined) return answer(call, 200, found);
  }
  return notThere(call);
}

export function notThere(call: Call): Promise<void> {
  return send(call, 404, "text/plain; charset=utf-8", "404 page not found\n");
}

async function answerGroups(call: Call, discovery: Discovery, core: boolean): Promise<void> {
  const { request } = call;
  const accepted = negotiate(request.headers.accept, { custom: false, shaped: ["APIGroupDiscoveryList"] });
  if (accepted?.as !== "APIGroupDiscoveryList") {
    return answer(
      call,
      200,
      core ? discovery.apiVersions(request.headers.host ?? "") : discovery.groupList(),
    );
  }
  const { text, etag } = discovery.aggregated(core);
  const headers = { ETag: etag, Vary: "Accept", "Cache-Control": "public" };
  if (request.headers["if-none-match"] === etag) {
    // Caches lay these headers over those they keep, so a type or a length here would spoil what they have.
    call.response.writeHead(304, headers).end();
    return;
  }
  // client-go decodes by what this header says, so it repeats the wish.
  const type = `application/json;g=apidiscovery.k8s.io;v=${accepted.version};as=APIGroupDiscoveryList`;
  const shown =
    accepted.version === "v2"
      ? text
      : text.replace("apidiscovery.k8s.io/v2", `apidiscovery.k8s.io/${accepted.version}`);
  return send(call, 200, type, `${shown}\n`, headers);
}

function answerSchemas(call: Call, openapi: OpenApi, where: string): Promise<void> {
  const path = where.slice("/openapi/v3/".length);
  const groupVersion = path.startsWith("api/")
    ? path.slice(4)
    : path.startsWith("apis/")
      ? path.slice(5)
      : "";
  const document = openapi.document(groupVersion);
  if (document === undefined) return notThere(call);
  const asked = call.query.get("hash");
  if (asked !== null && asked !== document.hash) {
    return send(call, 301, "text/plain", "", { Location: `/openapi/v3/${path}?hash=${document.hash}` });
  }
  return send(call, 200, "application/json", document.text, {
    ETag: `"${document.hash}"`,
    ...(asked === null ? {} : { "Cache-Control": "public, immutable" }),
  });
}

function answerHealth(call: Call, what: string): Promise<void> {
  const { commit } = call.house.registry.figures();
  const checks: readonly (readonly [string, string | undefined])[] = [
    ["ping", undefined],
    ["store", commit.trouble],
    [
      "store-queue",
      commit.queued > limits.commitQueue / 2 ? `${commit.queued} writes wait for the disk` : undefined,
    ],
  ];
  const failed = checks.filter(([, trouble]) => trouble !== undefined);
  // A full disk is a reason to send no work here, not a reason to kill the process.
  const good = failed.length === 0 || what === "livez";
  if (good && !call.query.has("verbose")) return send(call, 200, "text/plain; charset=utf-8", "ok");
  const lines = checks.map(([name, trouble]) =>
    trouble === undefined ? `[+]${name} ok` : `[-]${name} failed: ${trouble}`,
  );
  return send(
    call,
    good ? 200 : 500,
    "text/plain; charset=utf-8",
    `${lines.join("\n")}\n${what} check ${good ? "passed" : "failed"}\n`,
  );
}

function pathsOf(discovery: Discovery): readonly string[] {
  const groups = discovery
    .groups()
    .flatMap((group) =>
      group === ""
        ? ["/api", "/api/v1", "/apis"]
        : [`/apis/${group}`, ...discovery.versions(group).map((one) => `/apis/${group}/${one}`)],
    );
  return [...groups, "/healthz", "/livez", "/metrics", "/openapi/v3", "/readyz", "/version"];
}

async function figuresOf({ house }: Call): Promise<string> {
  const { revision, commit, collections } = house.registry.figures();
  const gauge = (name: string, help: string, lines: readonly string[]) => [
    `# HELP drydock_apiserver_${name} ${help}`,
    `# TYPE drydock_apiserver_${name} ${name.endsWith("_total") ? "counter" : "gauge"}`,
    ...lines.map((line) => `drydock_apiserver_${name}${line}`),
  ];
  return [
    ...house.meter.text(),
    ...gauge("revision", "The latest revision readers can see.", [` ${revision}`]),
    ...gauge(
      "objects",
      "Objects stored, by resource.",
      collections
        .filter(({ objects }) => objects > 0)
        .map(({ id, objects }) => `{resource="${id}"} ${objects}`),
    ),
    ...gauge("store_commits_total", "Flushes to disk.", [` ${commit.commits}`]),
    ...gauge("store_writes_total", "Writes those flushes made durable.", [` ${commit.writes}`]),
    ...gauge("store_failures_total", "Flushes the disk refused.", [` ${commit.failures}`]),
    ...gauge("store_commit_seconds_total", "Time spent waiting for flushes.", [` ${commit.seconds}`]),
    ...gauge("store_queued", "Writes waiting for a flush.", [` ${commit.queued}`]),
    ...(await house.figures()),
    "",
  ].join("\n");
}

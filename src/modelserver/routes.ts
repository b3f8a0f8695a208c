// Which path means what. Parsed by hand: the grammar is small, and the one hot path never comes here.

export type Route =
  | { readonly kind: "alive" | "metrics" | "v1Models" | "v2Server" | "v2Live" | "v2Ready" | "v2Models" }
  | {
      readonly kind: "v1Model" | "v1Predict" | "v1Explain" | "v2Model" | "v2ModelReady" | "v2Infer";
      readonly model: string;
      /** V2 paths may name a version, which upstream refuses. */
      readonly version?: string;
    };

export type RouteKind = Route["kind"];

const fixed: Readonly<Record<string, Route>> = {
  "/": { kind: "alive" },
  "/metrics": { kind: "metrics" },
  "/v1/models": { kind: "v1Models" },
  "/v2": { kind: "v2Server" },
  "/v2/health/live": { kind: "v2Live" },
  "/v2/health/ready": { kind: "v2Ready" },
  "/v2/models": { kind: "v2Models" },
};

const posts: ReadonlySet<RouteKind> = new Set<RouteKind>(["v1Predict", "v1Explain", "v2Infer"]);

export function methodOf(route: Route): "GET" | "POST" {
  return posts.has(route.kind) ? "POST" : "GET";
}

export function routeOf(path: string): Route | undefined {
  if (Object.hasOwn(fixed, path)) return fixed[path];
  const [, version, models, ...rest] = path.split("/");
  if (models !== "models") return undefined;
  if (version === "v1") return v1Route(rest);
  if (version === "v2") return v2Route(rest);
  return undefined;
}

function v1Route(rest: readonly string[]): Route | undefined {
  const [last] = rest;
  if (rest.length !== 1 || !last) return undefined;
  const colon = last.lastIndexOf(":");
  const verb = colon === -1 ? "" : last.slice(colon);
  if (verb === ":predict") return modelRoute("v1Predict", last.slice(0, colon));
  if (verb === ":explain") return modelRoute("v1Explain", last.slice(0, colon));
  return modelRoute("v1Model", last);
}

function v2Route(rest: readonly string[]): Route | undefined {
  const [name, ...more] = rest;
  if (!name) return undefined;
  const version = more[0] === "versions" ? more[1] : undefined;
  if (more[0] === "versions" && !version) return undefined;
  const tail = (version === undefined ? more : more.slice(2)).join("/");
  if (tail === "") return modelRoute("v2Model", name, version);
  if (tail === "ready") return modelRoute("v2ModelReady", name, version);
  if (tail === "infer") return modelRoute("v2Infer", name, version);
  return undefined;
}

function modelRoute(
  kind: "v1Model" | "v1Predict" | "v1Explain" | "v2Model" | "v2ModelReady" | "v2Infer",
  encoded: string,
  version?: string,
): Route | undefined {
  const model = decoded(encoded);
  if (!model) return undefined;
  return version === undefined ? { kind, model } : { kind, model, version };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

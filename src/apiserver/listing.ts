// One page of a list: as of now, as of then, or on from where the last page ended.
import { fieldErrors } from "../domain/apis/meta/fieldError.js";
import { limits } from "./limits.js";
import {
  isNarrowed,
  type Registry,
  type Selectors,
  type Served,
  type Stored,
  selectionOf,
} from "./registry/index.js";
import { badRequest, expired, invalidOptions, refusal } from "./status.js";

export interface ListRequest extends Selectors {
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
}

export interface ListedPage {
  readonly items: readonly Stored[];
  readonly revision: number;
  readonly next: string | undefined;
  /** How many come after this page; undefined when nobody counted. */
  readonly remaining: number | undefined;
}

/** Where the next page starts, and as of when. Opaque to clients. */
interface Token {
  readonly rv: number;
  readonly start: string;
}

export async function listPage(
  registry: Registry,
  served: Served,
  request: ListRequest,
): Promise<ListedPage> {
  refuseBadOptions(request);
  const selection = selectionOf(served, request);
  const { collection } = served;
  const token = request.continue ? parseToken(request.continue) : undefined;
  const wanted = parseVersion(request.resourceVersion);
  if (wanted !== undefined && wanted > registry.revision()) await untilRevision(registry, wanted);

  const exact = request.resourceVersionMatch === "Exact" ? wanted : undefined;
  const asOf = token?.rv ?? exact;
  const all = asOf === undefined ? collection.list(selection) : collection.listAt(asOf, selection);
  if (all === undefined) {
    if (token === undefined) throw expired(asOf ?? 0, collection.floor());
    throw refusal(
      "Expired",
      "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.",
    );
  }
  const revision = asOf ?? registry.revision();
  const rest = token === undefined ? all : all.slice(firstAfter(all, token.start));
  const limit = request.limit ?? 0;
  if (limit === 0 || rest.length <= limit) {
    return { items: rest.map(served.show), revision, next: undefined, remaining: undefined };
  }
  const items = rest.slice(0, limit);
  const last = items[items.length - 1] as Stored;
  return {
    items: items.map(served.show),
    revision,
    next: Buffer.from(
      JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${last.key}\u0000` }),
    ).toString("base64url"),
    remaining: isNarrowed(request) ? undefined : rest.length - limit,
  };
}

/** undefined when not given. */
export function parseVersion(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw badRequest(`Invalid value: ${JSON.stringify(text)}: a resource version must be a number`);
  }
  return Number(text);
}

function refuseBadOptions(request: ListRequest): void {
  const { resourceVersion = "", resourceVersionMatch: match = "" } = request;
  const complain = (detail: string) =>
    invalidOptions("ListOptions", [fieldErrors.forbidden("resourceVersionMatch", detail)]);
  if (request.continue && resourceVersion !== "" && resourceVersion !== "0") {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  if (match === "") return;
  if (match !== "Exact" && match !== "NotOlderThan") {
    throw invalidOptions("ListOptions", [
      fieldErrors.notSupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]),
    ]);
  }
  if (request.continue) throw complain("resourceVersionMatch is forbidden when continue is provided");
  if (resourceVersion === "")
    throw complain("resourceVersionMatch is forbidden unless resourceVersion is provided");
  if (match === "Exact" && resourceVersion === "0") {
    throw complain('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
}

function parseToken(text: string): Token {
  try {
    const { rv, start } = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Partial<Token>;
    if (typeof rv === "number" && typeof start === "string") return { rv, start };
  } catch {
    // Said below, in one way for every kind of nonsense.
  }
  throw badRequest("invalid continue token: the token does not decode");
}

function firstAfter(items: readonly Stored[], start: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle] as Stored).key < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A version from the future may be another reader's present: wait a little before refusing it. */
async function untilRevision(registry: Registry, wanted: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const stopListening = registry.onChange(() => {
      if (registry.revision() < wanted) return;
      stopListening();
      cancel();
      resolve();
    });
    const cancel = registry.clock.after(limits.futureRevisionMs, () => {
      stopListening();
      resolve();
    });
  });
  const current = registry.revision();
  if (current >= wanted) return;
  throw refusal("Timeout", `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}

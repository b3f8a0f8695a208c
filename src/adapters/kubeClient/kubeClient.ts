// The Client over HTTP: to our own API server from another process, or to anyone's Kubernetes.
import { apiVersionOf, type Kind, type Resource } from "../../domain/apis/kind.js";
import { earlyQuery } from "../../domain/apis/meta/early.js";
import {
  type Client,
  isPortError,
  type Key,
  type Page,
  type PatchOptions,
  PortError,
  type Unsaved,
  type WatchEvent,
  type Within,
} from "../../ports/index.js";
import { limits } from "./limits.js";
import { type Credential, makeTransport, refusalOf, type ServerAddress } from "./transport.js";

export interface KubeClientOptions extends ServerAddress {
  readonly token?: string | undefined;
  /** PEM of a client certificate and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Hears of changes while they are on their way to disk: of our own API server only, and only as its own. */
  readonly early?: boolean;
  /** Asked before each request, for credentials that end; instead of the three above. */
  readonly credential?: (() => Promise<Credential>) | undefined;
}

/** A Client that holds connections; close it to let the process end. */
export interface KubeClient extends Client {
  close(): void;
}

const patchTypes = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

export function kubeClient(options: KubeClientOptions): KubeClient {
  const { token, cert, key } = options;
  const fixed: Credential = {
    ...(token === undefined ? {} : { token }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  const transport = makeTransport(options, options.credential ?? (async () => fixed));

  return {
    async get<T extends Resource>(kind: Kind<T>, at: Key): Promise<T | undefined> {
      try {
        return (await transport.ask({ method: "GET", path: pathOf(kind, at) })) as T;
      } catch (error) {
        if (isPortError(error, "NotFound") && isAboutObject(error)) return undefined;
        throw error;
      }
    },

    async list<T extends Resource>(kind: Kind<T>, within: Within = {}): Promise<Page<T>> {
      const path = collectionOf(kind, within.namespace) + queryOf(within);
      const { metadata, items } = (await transport.ask({ method: "GET", path })) as {
        readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
        readonly items?: readonly T[] | null;
      };
      const named = { apiVersion: apiVersionOf(kind), kind: kind.kind };
      return {
        // The real server leaves apiVersion and kind out of the items of built-in lists.
        items: (items ?? []).map((item) => (item.kind === undefined ? { ...named, ...item } : item)),
        resourceVersion: metadata.resourceVersion,
        ...(metadata.continue ? { continue: metadata.continue } : {}),
      };
    },

    async *watch<T extends Resource>(
      kind: Kind<T>,
      from: string,
      signal: AbortSignal,
      within: Within = {},
    ): AsyncGenerator<WatchEvent<T>> {
      let version = from;
      while (!signal.aborted) {
        const { least, most } = limits.watchSeconds;
        const path =
          collectionOf(kind, within.namespace) +
          queryOf(within, {
            watch: "true",
            allowWatchBookmarks: "true",
            resourceVersion: version,
            ...(options.early ? { [earlyQuery]: "true" } : {}),
            // Spread by what is being watched, so that they do not all come back at once.
            timeoutSeconds: String(least + ((kind.plural.length * 7) % (most - least))),
          });
        for await (const line of transport.lines(path, signal)) {
          const { type, object } = parseEvent<T>(line);
          const at = object.metadata?.resourceVersion;
          if (at !== undefined && at !== "") version = at;
          if (type === "BOOKMARK") yield { type, resourceVersion: version };
          else yield { type, object };
          if (signal.aborted) return;
        }
      }
    },

    async create<T extends Resource>(kind: Kind<T>, object: Unsaved<T>): Promise<T> {
      const whole = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object } as unknown as T;
      const path = collectionOf(kind, whole.metadata.namespace);
      return (await transport.ask({ method: "POST", path, body: whole })) as T;
    },

    update: <T extends Resource>(kind: Kind<T>, object: T) => put(kind, object, ""),
    updateStatus: <T extends Resource>(kind: Kind<T>, object: T) => put(kind, object, "/status"),

    async patch<T extends Resource>(kind: Kind<T>, at: Key, patch: unknown, how: PatchOptions): Promise<T> {
      const query = new URLSearchParams({
        ...(how.fieldManager === undefined ? {} : { fieldManager: how.fieldManager }),
        ...(how.force === undefined ? {} : { force: String(how.force) }),
      });
      const path = `${pathOf(kind, at)}${how.subresource === undefined ? "" : `/${how.subresource}`}${asQuery(query)}`;
      return (await transport.ask({
        method: "PATCH",
        path,
        body: patch,
        contentType: patchTypes[how.type],
      })) as T;
    },

    async delete(kind, at, how) {
      await transport.ask({
        method: "DELETE",
        path: pathOf(kind, at),
        ...(how === undefined ? {} : { body: { apiVersion: "v1", kind: "DeleteOptions", ...how } }),
      });
    },

    close: () => transport.close(),
  };

  async function put<T extends Resource>(kind: Kind<T>, object: T, subresource: string): Promise<T> {
    const { name, namespace = "" } = object.metadata;
    const path = pathOf(kind, { namespace, name }) + subresource;
    const body = { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
    return (await transport.ask({ method: "PUT", path, body })) as T;
  }
}

type Place = Pick<Kind, "group" | "version" | "plural" | "namespaced">;

function collectionOf(kind: Place, namespace: string | undefined): string {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const inside = kind.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${inside}/${kind.plural}`;
}

function pathOf(kind: Place, { namespace, name }: Key): string {
  if (name === "") throw new PortError("BadRequest", `a ${kind.plural} without a name cannot be addressed`);
  return `${collectionOf(kind, namespace)}/${encodeURIComponent(name)}`;
}

function queryOf(within: Within, more: { readonly [name: string]: string } = {}): string {
  const query = new URLSearchParams(more);
  if (within.labelSelector) query.set("labelSelector", within.labelSelector);
  if (within.fieldSelector) query.set("fieldSelector", within.fieldSelector);
  if (within.limit !== undefined && more["watch"] === undefined) query.set("limit", String(within.limit));
  if (within.continue) query.set("continue", within.continue);
  return asQuery(query);
}

function asQuery(query: URLSearchParams): string {
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

interface ParsedEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: T;
}

function parseEvent<T>(line: string): ParsedEvent<T> {
  let event: { readonly type: string; readonly object: T };
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    throw new PortError("ServiceUnavailable", "the watch broke off in the middle of an event", {
      cause: error,
    });
  }
  if (event.type !== "ERROR") return event as ParsedEvent<T>;
  const { code = 500 } = event.object as { readonly code?: number };
  throw refusalOf(code, JSON.stringify(event.object));
}

/** "This object is not there" is an answer; "this kind is not served" is trouble. */
function isAboutObject({ status }: PortError): boolean {
  const { details } = (status ?? {}) as { readonly details?: { readonly name?: string } };
  return details?.name !== undefined;
}

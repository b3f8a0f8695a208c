// From what a DomainMapping refers to, to the Service of its own namespace that requests are sent to.
import { Service } from "../../../domain/apis/core/service.types.js";
import { apiVersionOf, type Kind, qualifiedPlural, type Resource } from "../../../domain/apis/kind.js";
import { InferenceService } from "../../../domain/apis/kserve/inferenceService.types.js";
import type { DomainMapping } from "../../../domain/apis/serving/domainMapping.types.js";
import { Route } from "../../../domain/apis/serving/route.types.js";
import { KnativeService } from "../../../domain/apis/serving/service.types.js";
import type { Listers } from "../../../ports/index.js";
import { localHost } from "../names.js";

/** What has an address that a domain can lead to. */
export const addressables = [
  KnativeService,
  Route,
  InferenceService,
  Service,
] as readonly unknown[] as readonly Kind[];

type Reference = DomainMapping["spec"]["ref"];

export type Resolved = { readonly service: string } | { readonly because: string };

export function resolveReference({ metadata, spec }: DomainMapping, listers: Listers): Resolved {
  const namespace = metadata.namespace ?? "";
  const url = addressOf(spec.ref, namespace, listers);
  return typeof url === "string" ? serviceOf(url, namespace) : url;
}

export function refersTo({ spec }: DomainMapping, { apiVersion, kind, metadata }: Resource): boolean {
  const { ref } = spec;
  return ref.name === metadata.name && ref.kind === kind && groupOf(ref.apiVersion) === groupOf(apiVersion);
}

function addressOf(
  ref: Reference,
  namespace: string,
  listers: Listers,
): string | { readonly because: string } {
  const at = `${namespace}/${ref.name}`;
  // Versions of one group hold the same objects.
  const kind = addressables.find(
    (one) => one.kind === ref.kind && one.group === groupOf(ref.apiVersion ?? apiVersionOf(one)),
  );
  if (kind === undefined)
    return {
      because: `failed to get object ${at}: ${ref.apiVersion} ${ref.kind} has no address that is known here`,
    };
  const object = listers(kind).get({ namespace, name: ref.name });
  if (object === undefined)
    return { because: `failed to get object ${at}: ${qualifiedPlural(kind)} "${ref.name}" not found` };
  if (kind.group === "") return `http://${localHost(ref.name, namespace)}`;
  const { address } =
    (object as { readonly status?: { readonly address?: { readonly url?: string } } }).status ?? {};
  if (address === undefined) return { because: `address not set for ${ref.kind} ${at}` };
  return address.url ?? { because: `URL missing in address of ${ref.kind} ${at}` };
}

function serviceOf(uri: string, namespace: string): Resolved {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  const wrong = (why: string) => ({ because: `resolved URI "${uri}" ${why}` });
  if (url !== undefined && url.pathname !== "/") return wrong("contains a path");
  const [service, within, ...rest] = url?.hostname.split(".") ?? [];
  if (!service || !within || rest.join(".") !== "svc.cluster.local")
    return wrong("must be of the form {name}.{namespace}.svc.cluster.local");
  if (within !== namespace) return wrong("must be in same namespace as DomainMapping");
  return { service };
}

function groupOf(apiVersion: string | undefined): string {
  const slash = apiVersion?.indexOf("/") ?? -1;
  return slash < 0 ? "" : (apiVersion ?? "").slice(0, slash);
}

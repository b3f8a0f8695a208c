// The names under which a Route and each of its tags are reached, and who may reach them.
import type { ServingConfig } from "../../../domain/apis/config/index.js";
import type { Service } from "../../../domain/apis/core/service.types.js";
import { networking, serving } from "../../../domain/apis/serving/keys.js";
import type { Route } from "../../../domain/apis/serving/route.types.js";
import { localDomain, renderHost, renderTag } from "../../../domain/traffic/index.js";
import type { Settings } from "../deps.js";
import { domainOf, externalUrl, localHost } from "../names.js";

export interface RouteHost {
  /** "" for the Route itself. */
  readonly tag: string;
  /** Also the name of the placeholder Service. */
  readonly name: string;
  readonly inside: string;
  /** Absent for what only the inside may reach. */
  readonly outside: string | undefined;
  readonly url: string;
}

export interface Surroundings {
  readonly config: ServingConfig;
  readonly settings: Settings;
  readonly placeholder: (name: string) => Service | undefined;
}

/** The Route's own host first, then its tags by name; or why they cannot be named. */
export function hostsOf(
  route: Route,
  around: Surroundings,
): { readonly hosts: readonly RouteHost[] } | { readonly because: string } {
  const tags = new Set((route.spec.traffic ?? []).flatMap((target) => target.tag || []));
  const hosts: RouteHost[] = [];
  for (const tag of ["", ...[...tags].sort()]) {
    const host = hostOf(route, tag, around);
    if ("because" in host) return host;
    hosts.push(host);
  }
  return { hosts };
}

function hostOf(
  route: Route,
  tag: string,
  { config, settings, placeholder }: Surroundings,
): RouteHost | { readonly because: string } {
  const { network } = config;
  const { namespace = "", labels, annotations } = route.metadata;
  const named = { name: route.metadata.name, namespace, labels, annotations };
  const target = tag === "" ? { text: named.name } : renderTag(network.tagTemplate, tag, named);
  if ("because" in target) return target;
  const name = target.text;
  const inside = localHost(name, namespace);
  const hidden: RouteHost = { tag, name, inside, outside: undefined, url: `http://${inside}` };
  const domain = domainOf(labels, config, settings);
  if (domain === localDomain || isHidden(placeholder(name), route)) return hidden;
  const outside = renderHost(network.domainTemplate, domain, { ...named, name });
  if ("because" in outside) return outside;
  const url = externalUrl(outside.text, settings.externalPort, network.defaultExternalScheme);
  return { ...hidden, outside: outside.text, url };
}

/** A label that users put on the placeholder Service hides that one host. */
function isHidden(service: Service | undefined, route: Route): boolean {
  const labels = service?.metadata.labels ?? {};
  return labels[serving.route] === route.metadata.name && Boolean(labels[networking.visibility]);
}

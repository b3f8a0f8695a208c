// The compiled route table: what a request is looked up in. Nothing in it changes once made; a change of
// configuration makes a new one, and the gateway swaps the two in a single assignment.
import type { Split } from "../../domain/traffic/index.js";
import type { RevisionSettings } from "../activator/index.js";
import type { EndpointsInput, ServiceInput, VirtualServiceInput } from "./inputs.js";

export type ListenerName = "external" | "local";

export interface PodTarget {
  readonly address: string;
  readonly pod: string;
}

/** The pods behind one port of one Service: to Knative, one revision. */
export interface Revision {
  /** The same for the same Service and port in every table. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly targets: readonly PodTarget[];
  readonly notReady: number;
  readonly protocol: "http1" | "h2c";
  /** Where a Revision stands behind the Service: requests wait for its pods, within its limits. */
  readonly settings: RevisionSettings | undefined;
}

/** What a route does to request headers: incoming fields of these names go, then the lines are added. */
export interface HeaderChange {
  readonly drop: ReadonlySet<string>;
  readonly lines: readonly string[];
  /** The letters that names to drop begin with: a request with none of them keeps all it has. */
  readonly letters: number;
  /** `lines` as they are written. */
  readonly text: string;
  /** A field that the gateway adds itself is among those to drop. */
  readonly setsOurs: boolean;
}

export type StringMatch =
  | { readonly kind: "exact" | "prefix"; readonly value: string }
  /** A well-known expression that stands for a few names: one look-up instead of a match. */
  | { readonly kind: "oneOf"; readonly values: ReadonlySet<string>; readonly source: string }
  | { readonly kind: "regex"; readonly regex: RegExp; readonly source: string };

/** Tests left to make on a request once everything known beforehand has been decided. All must hold. */
export interface Condition {
  readonly authority: StringMatch | undefined;
  readonly uri: StringMatch | undefined;
  readonly method: StringMatch | undefined;
  /** A header without a match must merely be there. */
  readonly headers: readonly { readonly name: string; readonly match: StringMatch | undefined }[];
}

export type Rewrite =
  | { readonly kind: "prefix"; readonly from: string; readonly to: string }
  | { readonly kind: "whole"; readonly to: string }
  | { readonly kind: "regex"; readonly regex: RegExp; readonly to: string };

export interface Rule {
  /** Any one of them is enough; none at all means always. */
  readonly when: readonly Condition[];
  readonly rewrite: Rewrite | undefined;
  readonly to: Node;
}

export interface Destination {
  readonly kind: "forward";
  readonly revision: Revision;
  /** The Host the pod sees; undefined leaves the client's. */
  readonly host: string | undefined;
  readonly headers: HeaderChange;
  readonly timeoutMs: number | undefined;
  readonly hash: string | undefined;
  /** The hosts passed on the way, first to last, for messages. */
  readonly chain: readonly string[];
}

export interface Redirect {
  readonly kind: "redirect";
  readonly scheme: string | undefined;
  readonly authority: string | undefined;
  readonly uri: string | undefined;
  readonly code: number;
}

/** A route that leads nowhere, and why. */
export interface DeadEnd {
  readonly kind: "deadEnd";
  readonly status: 404 | 503 | 508;
  readonly reason: "NoRoute" | "NoService" | "RouteLoop";
  readonly message: string;
}

export type Node =
  | Destination
  | Redirect
  | DeadEnd
  | { readonly kind: "rules"; readonly host: string; readonly rules: readonly Rule[] }
  | { readonly kind: "split"; readonly split: Split<{ readonly weight: number; readonly to: Node }> };

export interface HostRoutes {
  readonly host: string;
  readonly rules: readonly Rule[];
  /** What a probe of this host is answered with: the version of the configuration in force. */
  readonly hash: string | undefined;
}

export interface ListenerTable {
  readonly exact: ReadonlyMap<string, HostRoutes>;
  /** Keyed by what follows the star, dot included: `.example.com`. */
  readonly wildcards: ReadonlyMap<string, HostRoutes>;
  readonly any: HostRoutes | undefined;
  /** Hosts as their authors wrote them, sorted. */
  readonly names: readonly string[];
  /** `NAMESPACE/NAME` to the routes that `/serving/NAMESPACE/NAME/` stands for. */
  readonly byPath: ReadonlyMap<string, HostRoutes>;
}

/** One VirtualService, checked and kept: if its next version does not compile, this one goes on serving. */
export interface Parsed {
  readonly key: string;
  readonly source: VirtualServiceInput;
  readonly namespace: string;
  readonly createdAt: string;
  readonly hosts: readonly string[];
  readonly gateways: readonly GatewayRef[];
  readonly rules: readonly ParsedRule[];
}

export interface GatewayRef {
  readonly name: string;
  readonly listener: ListenerName;
}

export interface ParsedRule {
  readonly matches: readonly ParsedMatch[];
  readonly headers: HeaderOperations;
  readonly rewrite: Rewrite | undefined;
  readonly authority: string | undefined;
  readonly redirect: Redirect | undefined;
  readonly arms: readonly ParsedArm[];
  readonly timeoutMs: number | undefined;
}

export interface ParsedMatch extends Condition {
  readonly gateways: readonly string[];
}

export interface ParsedArm {
  readonly host: string;
  readonly port: number | undefined;
  readonly weight: number;
  readonly headers: HeaderOperations;
}

export interface HeaderOperations {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

/** A certificate for the hosts it is shown to; PEM. A host is a name, `*.` and a name, or `*` for whoever asks for none of the others. */
export interface HostCertificate {
  readonly hosts: readonly string[];
  readonly cert: string;
  readonly key: string;
}

export interface RouteTable {
  /** For listeners that speak TLS. */
  readonly tls?: readonly HostCertificate[];
  readonly external: ListenerTable;
  readonly local: ListenerTable;
  readonly revisions: readonly Revision[];
  readonly memory: CompileMemory;
}

/** What the next compilation may take over, so that one changed object does not cost a thousand unchanged ones. */
export interface CompileMemory {
  readonly settings: string;
  readonly binding: Binding | undefined;
  readonly parsed: ReadonlyMap<string, Parsed>;
  readonly services: ReadonlyMap<string, KnownService>;
  readonly links: ReadonlyMap<string, Link>;
}

/** The rules of one VirtualService that count on one listener. */
export interface Bound {
  readonly owner: Parsed;
  readonly rules: readonly ParsedRule[];
}

export interface Binding {
  readonly objects: readonly Parsed[];
  /** By host, the oldest first. */
  readonly hosts: Readonly<Record<ListenerName, ReadonlyMap<string, readonly Bound[]>>>;
  /** `NAMESPACE/NAME` to the host that stands behind such a path. */
  readonly paths: Readonly<Record<ListenerName, ReadonlyMap<string, string>>>;
  /** Shorter names of local hosts. */
  readonly shortForms: ReadonlyMap<string, string>;
  readonly missing: readonly { readonly owner: Parsed; readonly gateway: string }[];
}

export interface KnownService {
  readonly service: ServiceInput | undefined;
  readonly endpoints: EndpointsInput | undefined;
  readonly settings: RevisionSettings | undefined;
  readonly resolved: Resolved;
}

export type Resolved =
  | { readonly kind: "pods"; readonly revision: Revision }
  | { readonly kind: "alias"; readonly host: string; readonly port: number | undefined }
  | { readonly kind: "nothing"; readonly because: string };

export interface LookedUp {
  readonly namespace: string;
  readonly name: string;
  readonly port: number | undefined;
  readonly resolved: Resolved;
}

/** One host's routes, with everything that was looked at to make them. */
export interface Link {
  readonly routes: HostRoutes | undefined;
  readonly looked: readonly {
    readonly listener: ListenerName;
    readonly host: string;
    readonly owners: readonly Parsed[];
  }[];
  readonly services: readonly LookedUp[];
  readonly told: readonly RouteProblem[];
}

export interface RouteProblem {
  /** `VirtualService NAMESPACE/NAME` */
  readonly object: string;
  readonly reason:
    | "InvalidField"
    | "UnsupportedField"
    | "GatewayMissing"
    | "UnreachableHost"
    | "RouteLoop"
    | "ChainBroken";
  readonly message: string;
  /** The object's earlier version goes on serving because this one cannot. */
  readonly keptPrevious: boolean;
}

const nothing: ListenerTable = {
  exact: new Map(),
  wildcards: new Map(),
  any: undefined,
  names: [],
  byPath: new Map(),
};

export const emptyTable: RouteTable = {
  external: nothing,
  local: nothing,
  revisions: [],
  memory: { settings: "", binding: undefined, parsed: new Map(), services: new Map(), links: new Map() },
};

// The compiled route table: what a request is looked up in. Nothing in it changes once made; a change of
// configuration makes a new one, and the gateway swaps the two in a single assignment.

import type { ParsedGateway } from "../../domain/apis/istio/gateway.parse.js";
import type {
  CorsPolicy,
  Fault,
  NamedMatch,
  Parsed,
  ParsedRule,
  Redirect,
  RetryPolicy,
  Rewrite,
  StringMatch,
} from "../../domain/apis/istio/routing.types.js";
import type { Split } from "../../domain/traffic/index.js";
import type { RevisionSettings } from "../activator/index.js";
import type { Guard } from "./guard.js";
import type { EndpointsInput, ServiceInput } from "./inputs.js";

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
  /** By pod, which life of its server runs now. */
  readonly lives?: ReadonlyMap<string, string> | undefined;
  /** What its pods speak; `asCame` sends each request on as it came. */
  readonly protocol: "http1" | "h2c" | "asCame";
  /** Who stands before the pods, for messages; the gateway unless told. */
  readonly hop?: "queue-proxy";
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
  /** `Forwarded` is only made where it is missing, from the X-Forwarded fields, as a last hop does. */
  readonly shim?: boolean;
}

/** Tests left to make on a request once everything known beforehand has been decided. All must hold. */
export interface Condition {
  readonly authority: StringMatch | undefined;
  readonly uri: StringMatch | undefined;
  readonly method: StringMatch | undefined;
  /** Whether the request must have come over TLS, or must not have. */
  readonly secure: boolean | undefined;
  readonly headers: readonly NamedMatch[];
  readonly withoutHeaders: readonly NamedMatch[];
  readonly queryParams: readonly NamedMatch[];
}

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
  /** What its routes ask for besides; undefined costs a request nothing. */
  readonly extras: Extras | undefined;
  /** The hosts passed on the way, first to last, for messages. */
  readonly chain: readonly string[];
}

/** What routes ask for beyond sending a request on. */
export interface Extras {
  /** Every hop's own, first to last: each throws its dice. */
  readonly faults: readonly Fault[];
  readonly cors: CorsPolicy | undefined;
  /** Undefined where no hop touches the answer. */
  readonly response: ResponseChange | undefined;
  readonly retry: RetryPolicy | undefined;
  /** The author says that any method may be sent twice. */
  readonly repeatsAnything: boolean;
  readonly mirrors: readonly Mirror[];
}

/** What routes do to an answer's header: fields of these names go, then the lines are added. */
export interface ResponseChange {
  readonly drop: ReadonlySet<string>;
  readonly text: string;
}

export interface Mirror {
  readonly share: number;
  readonly to: Node;
}

export interface Redirected {
  readonly kind: "redirect";
  readonly redirect: Redirect;
  readonly extras: Extras | undefined;
}

/** An answer that the route itself holds. */
export interface Direct {
  readonly kind: "direct";
  readonly status: number;
  readonly body: Buffer;
  /** Header fields beside those of the body, as lines. */
  readonly lines?: string;
  readonly extras: Extras | undefined;
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
  | Redirected
  | Direct
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

/** A certificate for the hosts it is shown to; PEM. A host is a name, `*.` and a name, or `*` for whoever asks for none of the others. */
export interface HostCertificate {
  readonly hosts: readonly string[];
  readonly cert: string;
  readonly key: string;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** As OpenSSL writes them; undefined leaves Node's choice. */
  readonly ciphers?: string | undefined;
  /** Likewise, the most wanted first. */
  readonly curves?: string | undefined;
}

export interface RouteTable {
  /** Who may pass; undefined lets everybody. */
  readonly guard?: Guard | undefined;
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
  readonly gateways: ReadonlyMap<string, ParsedGateway>;
  readonly certificates: ReadonlyMap<string, HostCertificate>;
  /** VirtualServices with the rules of those they delegate to, by key. */
  readonly whole: ReadonlyMap<string, Whole>;
  readonly services: ReadonlyMap<string, KnownService>;
  readonly links: ReadonlyMap<string, Link>;
}

/** A VirtualService with all rules in place, and everything that was looked at to make it. */
export interface Whole {
  readonly from: readonly (Parsed | undefined)[];
  readonly whole: Parsed;
  readonly problems: readonly RouteProblem[];
}

/** The rules of one VirtualService that count for one host on one listener. */
export interface Bound {
  readonly owner: Parsed;
  readonly rules: readonly BoundRule[];
  /** The Gateways that admit it, `mesh` among them. */
  readonly through: readonly string[];
  /** Some Gateway sends plain requests for the host to https. */
  readonly httpsRedirect: boolean;
}

export interface BoundRule {
  readonly rule: ParsedRule;
  readonly matches: readonly BoundMatch[];
}

export interface BoundMatch {
  readonly match: ParsedRule["matches"][number] | undefined;
  readonly secure: boolean | undefined;
}

export interface Binding {
  readonly objects: readonly Parsed[];
  /** By host, the oldest first. */
  readonly hosts: Readonly<Record<ListenerName, ReadonlyMap<string, readonly Bound[]>>>;
  /** `NAMESPACE/NAME` to the host that stands behind such a path. */
  readonly paths: Readonly<Record<ListenerName, ReadonlyMap<string, string>>>;
  /** Shorter names of local hosts. */
  readonly shortForms: ReadonlyMap<string, string>;
  readonly problems: readonly RouteProblem[];
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
  /** `VirtualService NAMESPACE/NAME`, or `Gateway` so. */
  readonly object: string;
  readonly reason:
    | "InvalidField"
    | "UnsupportedField"
    | "GatewayMissing"
    | "HostNotAdmitted"
    | "HostConflict"
    | "DelegateMissing"
    | "CertificateUnusable"
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
  memory: {
    settings: "",
    binding: undefined,
    parsed: new Map(),
    gateways: new Map(),
    certificates: new Map(),
    whole: new Map(),
    services: new Map(),
    links: new Map(),
  },
};

// Keeps a gateway's routes as the API says: its VirtualServices and Gateways, and what those lead to.
import { systemRandom } from "../adapters/clock/index.js";
import { jwtVerifier } from "../adapters/jwt/index.js";
import { type Informers, makeRecorder } from "../controller/index.js";
import { compileGuard, compileRoutes, type Gateway, movedPods, type RouteTable } from "../dataplane/index.js";
import { Secret } from "../domain/apis/core/config.types.js";
import { Endpoints } from "../domain/apis/core/endpoints.types.js";
import { Service } from "../domain/apis/core/service.types.js";
import { Gateway as GatewayKind } from "../domain/apis/istio/gateway.types.js";
import { ClusterRbacConfig, ServiceRole, ServiceRoleBinding } from "../domain/apis/istio/rbac.types.js";
import { AuthorizationPolicy, RequestAuthentication } from "../domain/apis/istio/security.types.js";
import { VirtualService } from "../domain/apis/istio/virtualService.types.js";
import type { Kind } from "../domain/apis/kind.js";
import { Revision } from "../domain/apis/serving/revision.types.js";
import type { Client, Clock, Log } from "../ports/index.js";
import { routeTeller } from "./tellRoutes.js";
import { tlsFiles } from "./tlsFiles.js";

/** Who the gateway is to the API, so that it can tell there what it cannot route. */
export interface Voice {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
}

/** Pods come and go in crowds; what only the table needs of that can wait so long, and whoever waits for a pod goes first. */
const podsRestMs = 20;

/** Resolves when the first routes have been handed over. */
export async function followRoutes(
  informers: Informers,
  gateway: Pick<Gateway, "update" | "move">,
  { client, clock, log }: Voice,
): Promise<void> {
  const kinds = [
    VirtualService,
    GatewayKind,
    Secret,
    Service,
    Revision,
  ] as readonly unknown[] as readonly Kind[];
  /** What the guard is made of; it rests while only pods come and go. */
  const guardKinds = [
    ...[RequestAuthentication, AuthorizationPolicy, ClusterRbacConfig, ServiceRole, ServiceRoleBinding],
    ...[Secret, Service, Revision],
  ] as readonly unknown[] as readonly Kind[];
  const verifier = jwtVerifier(clock, log);
  let guard: RouteTable["guard"];
  let guardDue = true;
  const readFile = tlsFiles(soon);
  const recorder = makeRecorder({ client, clock, random: systemRandom, log, component: "gateway" });
  const tell = routeTeller({ listers: informers.listers, recorder, clock, log });
  let table: RouteTable | undefined;
  /** What will compile, unless somebody is in more of a hurry. */
  let due: "later" | "soon" | undefined;
  let waking: NodeJS.Timeout | undefined;
  let tookMs = 0;
  let endedMs = 0;

  function compile(): void {
    due = undefined;
    clearTimeout(waking);
    const beganMs = performance.now();
    const compiled = compileRoutes(
      {
        virtualServices: informers.listers(VirtualService).list(),
        gateways: informers.listers(GatewayKind).list(),
        secrets: informers.listers(Secret).list(),
        readFile,
        services: informers.listers(Service).list(),
        endpoints: informers.listers(Endpoints).list(),
        revisions: informers.listers(Revision).list(),
      },
      table,
    );
    table = compiled.table;
    if (guardDue) guard = makeGuard();
    guardDue = false;
    gateway.update({ ...table, guard });
    tell(compiled.problems);
    endedMs = performance.now();
    tookMs = endedMs - beganMs;
  }

  function makeGuard() {
    const { listers } = informers;
    return compileGuard(
      {
        authentications: listers(RequestAuthentication).list(),
        policies: listers(AuthorizationPolicy).list(),
        rbac: {
          configs: listers(ClusterRbacConfig).list(),
          roles: listers(ServiceRole).list(),
          bindings: listers(ServiceRoleBinding).list(),
        },
        secrets: listers(Secret).list(),
        revisions: listers(Revision).list(),
        services: listers(Service).list(),
      },
      verifier,
    );
  }

  // Changes come in bursts; one compilation serves all that arrived meanwhile. It rests as long as the last one took,
  // so that a thousand Services coming up never take more than half of a processor from requests.
  function soon(): void {
    if (due === "soon") return;
    due = "soon";
    clearTimeout(waking);
    const restMs = endedMs + tookMs - performance.now();
    if (restMs > 1) waking = setTimeout(compile, restMs);
    else setImmediate(compile);
  }

  function later(): void {
    if (due !== undefined) return;
    due = "later";
    waking = setTimeout(compile, Math.max(endedMs + tookMs - performance.now(), podsRestMs));
  }

  for (const kind of kinds) informers.of(kind).subscribe(soon);
  informers.of(Endpoints).subscribe(({ type, object }) => {
    if (table === undefined || type !== "modified") return soon();
    gateway.move(movedPods(table, object));
    later();
  });
  for (const kind of guardKinds) {
    informers.of(kind).subscribe(() => {
      guardDue = true;
      soon();
    });
  }
  await informers.synced();
  compile();
}

// Keeps a gateway's routes as the API's VirtualServices, Services, Endpoints and Revisions say.
import type { Informers } from "../controller/index.js";
import { compileRoutes, type Gateway, type RouteTable } from "../dataplane/index.js";
import { Endpoints } from "../domain/apis/core/endpoints.types.js";
import { Service } from "../domain/apis/core/service.types.js";
import { VirtualService } from "../domain/apis/istio/virtualService.types.js";
import type { Kind } from "../domain/apis/kind.js";
import { Revision } from "../domain/apis/serving/revision.types.js";
import type { Log } from "../ports/index.js";

/** Resolves when the first routes are in the gateway. */
export async function followRoutes(informers: Informers, gateway: Gateway, log: Log): Promise<void> {
  const kinds = [VirtualService, Service, Endpoints, Revision] as readonly unknown[] as readonly Kind[];
  let table: RouteTable | undefined;
  let due = false;
  let said = "";

  let tookMs = 0;
  let endedMs = 0;

  function compile(): void {
    due = false;
    const beganMs = performance.now();
    const compiled = compileRoutes(
      {
        virtualServices: informers.listers(VirtualService).list(),
        services: informers.listers(Service).list(),
        endpoints: informers.listers(Endpoints).list(),
        revisions: informers.listers(Revision).list(),
      },
      table,
    );
    table = compiled.table;
    gateway.update(table);
    const problems = JSON.stringify(compiled.problems);
    if (compiled.problems.length > 0 && problems !== said)
      log.error("some routes could not be compiled", { problems: compiled.problems });
    said = problems;
    endedMs = performance.now();
    tookMs = endedMs - beganMs;
  }

  // Changes come in bursts; one compilation serves all that arrived meanwhile. It rests as long as the last one took,
  // so that a thousand Services coming up never take more than half of a processor from requests.
  function soon(): void {
    if (due) return;
    due = true;
    const restMs = endedMs + tookMs - performance.now();
    if (restMs > 1) setTimeout(compile, restMs);
    else setImmediate(compile);
  }

  for (const kind of kinds) informers.of(kind).subscribe(soon);
  await informers.synced();
  compile();
}

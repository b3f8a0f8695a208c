import type { StatusReport } from "../../../controller/index.js";
import { conditionOf, isReady, unknown, yes } from "../../../domain/apis/meta/judgement.js";
import type { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";

/** What a PodAutoscaler says of its Revision's Services. */
export function reportServices(status: StatusReport, services: ServerlessService | undefined): void {
  const { serviceName, privateServiceName } = services?.status ?? {};
  status.set({ serviceName, metricsServiceName: privateServiceName });
  if (services === undefined || privateServiceName === undefined) {
    status.mark("SKSReady", unknown("NotReady", "No Private Service Name"));
  } else if (isReady(services)) status.mark("SKSReady", yes);
  else {
    const message = conditionOf(services, "Ready")?.message || "K8s Service is not ready";
    status.mark("SKSReady", unknown("NotReady", message));
  }
}

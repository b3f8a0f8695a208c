// Who compares wish with fact: the reconcilers of serving and of workloads, and the garbage collector.
import { systemRandom } from "../adapters/clock/index.js";
import { gatewayProber } from "../adapters/gatewayProber/index.js";
import { startAutoscaler } from "../autoscaler/index.js";
import { type Deps, makeRecorder, readYourWrites, startController } from "../controller/index.js";
import { Pod } from "../domain/apis/core/pod.types.js";
import type { Kubelet } from "../kubelet/index.js";
import type { ImageDigests, IngressProber } from "../ports/index.js";
import { liveServingConfig, servingReconcilers } from "../reconcilers/serving/index.js";
import { startGarbageCollector, workloadReconcilers } from "../reconcilers/workload/index.js";
import type { Closers } from "./closers.js";
import type { Control } from "./control.js";
import { addressesOf, addressOf, type OpenGateway } from "./openGateway.js";
import { sleepers } from "./sleepers.js";

/** A start has the machine to itself for so long. */
const warmAfterMs = 2_000;

export interface ControllersOptions {
  readonly control: Control;
  readonly gateway: OpenGateway;
  readonly digests: ImageDigests;
  readonly domain: string;
  readonly apiUrl: string;
  readonly kubelet: Kubelet;
}

export function startControllers(
  { control, gateway, digests, domain, apiUrl, kubelet }: ControllersOptions,
  closers: Closers,
): void {
  const { registry, early, informers, clock, log, pki } = control;
  const deps: Deps = {
    client: readYourWrites(early, informers, clock),
    listers: informers.listers,
    clock,
    random: systemRandom,
    recorder: makeRecorder({
      client: early,
      clock,
      random: systemRandom,
      log,
      component: "drydock-controller",
      quiet: control.quiet,
    }),
  };
  const prober = proberOf(gateway, control, closers);
  const settings = () => ({
    domain,
    externalPort: addressOf(gateway.addresses(), "external")?.port ?? 0,
    apiUrl,
    activator: addressOf(gateway.addresses(), "local"),
  });
  const config = liveServingConfig(deps.listers);
  const asleep = sleepers(deps.listers, kubelet);
  const autoscaler = startAutoscaler({
    clock,
    pods: deps.listers(Pod),
    config: () => config().autoscaler,
    onWake(key) {
      control.quiet.hurry();
      control.wakes.begun(key);
      asleep.wake(key);
    },
  });
  closers.add(async () => autoscaler.close());
  gateway.onStats(autoscaler.record);
  control.figures.push(autoscaler.figures);
  const kinds = () => [...new Set(registry.served.all().map((served) => served.storage))];
  const reconcilers = [
    ...servingReconcilers({
      ...deps,
      digests,
      prober,
      settings,
      config,
      deciders: autoscaler.deciders,
      // The gateway is on every way to a pod, whatever the mode.
      activatorProbe: { inPath: async () => true },
    }),
    ...workloadReconcilers(deps, {
      kinds,
      usage: () => kubelet.runtime.usage(),
      caCertificate: pki.ca,
      finalizeNamespace: async (name) => {
        await registry.finalizeNamespace(name, []);
      },
    }),
  ];
  const controllers = reconcilers.map((reconciler) =>
    startController(reconciler, informers, { ...deps, log, quiet: control.quiet }),
  );
  const kindsOf = reconcilers.map(({ kind }) => kind.kind);
  control.figures.push(() => [
    ...counter("rounds", "Reconciles, by kind.", (index) => controllers[index]?.counts.rounds),
    ...counter(
      "failures",
      "Reconciles that failed, by kind.",
      (index) => controllers[index]?.counts.failures,
    ),
  ]);
  closers.add(async () => {
    await Promise.all(controllers.map((controller) => controller.close()));
  });
  function counter(name: string, help: string, of: (index: number) => number | undefined) {
    return [
      `# HELP drydock_controller_${name}_total ${help}`,
      `# TYPE drydock_controller_${name}_total counter`,
      ...kindsOf.map((kind, index) => `drydock_controller_${name}_total{kind="${kind}"} ${of(index) ?? 0}`),
    ];
  }
  closers.add(async () => clearTimeout(warming));
  // Behind what is waited for at a start.
  const warming = setTimeout(() => void asleep.warm(), warmAfterMs).unref();
  const collector = startGarbageCollector({ informers, client: early, clock, log, kinds });
  closers.add(() => collector.close());
}

function proberOf(gateway: OpenGateway, { clock }: Control, closers: Closers): IngressProber {
  const prober = gatewayProber((visibility) => addressesOf(gateway.addresses(), visibility), clock);
  closers.add(() => prober.close());
  return prober;
}

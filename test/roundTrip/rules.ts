// What a schema cannot say, put right after the dice fell: names that must exist, sums, and one of several.
import type { Kind } from "../../src/domain/apis/kind.js";
import { istioRules } from "./istioRules.js";
import type { Bag, Maker } from "./values.js";

type Right = (make: Maker, object: Bag) => Bag;

export function putRight(make: Maker, kind: Kind, object: Bag): Bag {
  const knative = kind.group === "serving.knative.dev";
  const walked = everywhere(make, object, knative) as Bag;
  return (
    byKind[`${kind.kind}.${kind.group}/${kind.version}`]?.(make, walked) ??
    byKind[`${kind.kind}.${kind.group}`]?.(make, walked) ??
    walked
  );
}

/** What holds wherever it stands: pods, containers, volumes and probes are many kinds' parts. */
function everywhere(make: Maker, value: unknown, knative: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => everywhere(make, item, knative));
  if (typeof value !== "object" || value === null) return value;
  const object = value as Bag;
  for (const name of Object.keys(object))
    if (name !== "__proto__") object[name] = everywhere(make, object[name], knative);
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"])
    if (isBag(object[name])) object[name] = probe(make, object[name], name);
  if (isBag(object["resources"])) object["resources"] = resources(object["resources"]);
  if (Array.isArray(object["env"])) object["env"] = object["env"].map(env);
  if (Array.isArray(object["volumes"])) object["volumes"] = volumes(make, object["volumes"]);
  if (Array.isArray(object["containers"]) || Array.isArray(object["steps"]))
    return pod(make, object, knative);
  return object;
}

function isBag(value: unknown): value is Bag {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function probe(make: Maker, given: Bag, name: string): Bag {
  const { exec: _e, httpGet: _h, tcpSocket: _t, grpc: _g, ...rest } = given;
  const handler = make.pick<Bag>([
    { exec: { command: ["true"] } },
    { httpGet: { path: "/", port: 8080 } },
    { tcpSocket: { port: 8080 } },
    { grpc: { port: 8080 } },
  ]);
  return { ...rest, ...(name === "readinessProbe" ? {} : { successThreshold: 1 }), ...handler };
}

/** What is asked for stays below the limit. */
function resources({ limits, requests, ...rest }: Bag): Bag {
  const [most, least] = [limits as Bag | undefined, requests as Bag | undefined];
  if (most === undefined || least === undefined) return { ...rest, limits, requests };
  return {
    ...rest,
    limits,
    requests: Object.fromEntries(Object.keys(least).map((name) => [name, most[name] ?? least[name]])),
  };
}

function env(given: unknown): unknown {
  if (!isBag(given) || !isBag(given["valueFrom"])) return given;
  const { value: _v, valueFrom, ...rest } = given;
  return { ...rest, valueFrom: oneOf(valueFrom, { configMapKeyRef: { name: "a", key: "b" } }) };
}

/** Only the first of the alternatives stays. */
function oneOf(given: Bag, otherwise: Bag): Bag {
  const [first] = Object.entries(given);
  return first === undefined ? otherwise : { [first[0]]: first[1] };
}

function volumes(make: Maker, given: readonly unknown[]): unknown[] {
  const sources: readonly Bag[] = [
    { emptyDir: {} },
    { secret: { secretName: "s" } },
    { configMap: { name: "c" } },
    { projected: { sources: [{ secret: { name: "s" } }] } },
  ];
  return given.filter(isBag).map((volume, index) => {
    const { name: _n, ...rest } = volume;
    const [source] = Object.entries(rest).filter(([name]) => name === "emptyDir" && make.chance(0.5));
    return { name: `v${index}`, ...(source === undefined ? make.pick(sources) : { emptyDir: source[1] }) };
  });
}

function pod(make: Maker, spec: Bag, knative: boolean): Bag {
  const known = ((spec["volumes"] ?? []) as Bag[]).map((volume) => volume["name"] as string);
  let count = 0;
  const list = (name: string, least: number) => {
    const given = ((spec[name] ?? []) as unknown[]).filter(isBag);
    while (given.length < least) given.push({});
    const kept = knative ? given.slice(0, 1) : given;
    return kept.map((one) => container(make, { ...one, name: `c${count++}` }, known, knative));
  };
  const right = { ...spec };
  for (const name of ["initContainers", "containers", "steps"])
    if (right[name] !== undefined) right[name] = list(name, name === "initContainers" ? 0 : 1);
  if (!knative)
    return {
      ...right,
      ...(spec["serviceAccountName"] === undefined ? {} : { serviceAccountName: "default" }),
    };
  const allowed = [
    "containers",
    "volumes",
    "serviceAccountName",
    "imagePullSecrets",
    "enableServiceLinks",
    "steps",
    "source",
    "timeout",
  ];
  const knatives = [
    "containerConcurrency",
    "timeoutSeconds",
    "responseStartTimeoutSeconds",
    "idleTimeoutSeconds",
    "buildName",
    "concurrencyModel",
  ];
  return Object.fromEntries(
    Object.entries(right).filter(([name]) => [...allowed, ...knatives].includes(name)),
  );
}

function container(make: Maker, given: Bag, known: readonly string[], knative: boolean): Bag {
  const { volumeMounts, ports, securityContext, volumeDevices: _d, ...rest } = given;
  const mounts = ((volumeMounts ?? []) as Bag[]).filter(isBag).slice(0, known.length);
  const right: Bag = { ...rest, image: rest["image"] ?? "example.com/app" };
  if (mounts.length > 0)
    right["volumeMounts"] = mounts.map((mount, index) => ({
      ...(knative ? {} : mount),
      name: known[index],
      mountPath: `/m${index}`,
      ...(knative ? { readOnly: true } : {}),
    }));
  if (!knative) {
    if (ports !== undefined) right["ports"] = distinctPorts(ports);
    return { ...right, ...(securityContext === undefined ? {} : { securityContext }) };
  }
  for (const name of ["lifecycle", "stdin", "stdinOnce", "tty", "resizePolicy", "restartPolicy"])
    delete right[name];
  if (isBag(right["readinessProbe"])) {
    const { terminationGracePeriodSeconds: _t, ...kept } = right["readinessProbe"];
    right["readinessProbe"] = { ...kept, periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3 };
  }
  if (Array.isArray(right["env"]))
    right["env"] = right["env"].map((one: Bag, index) => ({
      name: `E${index}`,
      value: typeof one["value"] === "string" ? one["value"] : "v",
    }));
  if (Array.isArray(right["envFrom"]))
    right["envFrom"] = right["envFrom"].map(() =>
      make.pick([{ configMapRef: { name: "a" } }, { secretRef: { name: "b" } }]),
    );
  if (Array.isArray(ports) && ports.length > 0)
    right["ports"] = [
      {
        containerPort: make.pick([8080, 9000]),
        ...(make.chance(0.5) ? { name: make.pick(["h2c", "http1"]) } : {}),
      },
    ];
  if (make.chance(0.2))
    right["securityContext"] = make.pick([
      { runAsNonRoot: true },
      { readOnlyRootFilesystem: true },
      { runAsUser: 1000 },
    ]);
  return right;
}

function distinctPorts(ports: unknown): unknown {
  return Array.isArray(ports)
    ? ports.filter(isBag).map((port, index) => ({
        ...port,
        name: `p${index}`,
        containerPort: 8000 + index,
        hostPort: undefined,
      }))
    : ports;
}

const spec =
  (right: Right): Right =>
  (make, object) => ({ ...object, spec: right(make, (object["spec"] ?? {}) as Bag) });

function traffic(make: Maker, inService: boolean): Bag[] {
  const count = 1 + make.below(3);
  return Array.from({ length: count }, (_, index) => {
    const percent = index === 0 ? 100 - (count - 1) * 10 : 10;
    const named: readonly Bag[] = inService
      ? [
          { latestRevision: true },
          { revisionName: `a-0000${index}` },
          { revisionName: "b", latestRevision: false },
        ]
      : [{ configurationName: "a" }, { revisionName: `a-0000${index}` }];
    return { percent, ...make.pick(named), ...(make.chance(0.4) ? { tag: `t${index}` } : {}) };
  });
}

const template = (make: Maker, given: unknown): Bag => {
  const { metadata, spec: of } = (given ?? {}) as { readonly metadata?: Bag; readonly spec?: Bag };
  const whole = pod(make, { ...of, containers: (of?.["containers"] as unknown[] | undefined) ?? [{}] }, true);
  return {
    ...(metadata === undefined
      ? {}
      : { metadata: { labels: metadata["labels"], annotations: scaling(make) } }),
    spec: concurrency(whole),
  };
};

function concurrency({ concurrencyModel, ...rest }: Bag): Bag {
  return concurrencyModel === undefined
    ? rest
    : { ...rest, containerConcurrency: undefined, concurrencyModel };
}

function scaling(make: Maker): Bag {
  return make.pick<Bag>([
    {},
    { "autoscaling.knative.dev/min-scale": "1", "autoscaling.knative.dev/max-scale": "3" },
    { "autoscaling.knative.dev/target": "0.5", note: "模型" },
    { "autoscaling.knative.dev/metric": "rps", "autoscaling.knative.dev/window": "30s" },
  ]);
}

/** v1alpha1's way to write it half of the time: `container`, and `revisionTemplate`. */
function seenConfiguration(make: Maker, given: Bag): Bag {
  const right = template(make, given["revisionTemplate"] ?? given["template"]);
  const { containers, ...rest } = right["spec"] as Bag;
  const [first] = containers as [Bag];
  const seen = make.chance(0.5) ? { ...right, spec: { ...rest, container: first } } : right;
  return make.chance(0.5)
    ? { revisionTemplate: seen, build: build(make, given) }
    : { template: seen, build: build(make, given) };
}

function build(make: Maker, { build: given }: Bag): Bag | undefined {
  return isBag(given) && make.chance(0.5) ? buildSpec(make, given) : undefined;
}

const buildSpec: Right = (make, given) => {
  const { template: _t, source, ...rest } = pod(make, { steps: [], ...given }, false);
  const { custom: _c, ...plain } = (source ?? {}) as Bag;
  const { containers: _cs, ...right } = rest;
  return { ...right, ...(Object.keys(plain).length === 0 ? {} : { source: oneOf(plain, {}) }) };
};

const predictors: readonly Bag[] = [
  { sklearn: { storageUri: "gs://b/m" } },
  { model: { modelFormat: { name: "onnx", version: "1" }, storageUri: "pvc://c/m", protocolVersion: "v2" } },
  { containers: [{ image: "example.com/app", env: [{ name: "A", value: "b" }] }] },
  { huggingface: { args: ["--x"], resources: { limits: { cpu: "1" } } } },
];
const frameworks = [
  "model",
  "sklearn",
  "xgboost",
  "tensorflow",
  "pytorch",
  "triton",
  "onnx",
  "huggingface",
  "pmml",
  "lightgbm",
  "paddle",
];

const predictor: Right = (make, given) => {
  const rest: Bag = { ...given, minReplicas: make.below(2), maxReplicas: make.below(3) * 2 };
  const found = frameworks.filter((name) => rest[name] !== undefined);
  for (const name of [...frameworks, "storageUris", "containers", "canaryTrafficPercent"])
    if (name !== found[0]) delete rest[name];
  const [name] = found;
  if (name === undefined) return { ...rest, ...make.pick(predictors) };
  const { name: _n, ...model } = rest[name] as Bag;
  return { ...rest, [name]: model };
};

const seenPredictors: readonly Bag[] = [
  { sklearn: { storageUri: "gs://b/m", runtimeVersion: "1" } },
  { onnx: { storageUri: "gs://b/m" } },
  { custom: { container: { image: "example.com/app", name: "x" } } },
  { pytorch: { storageUri: "s3://b/m", modelClassName: "Net" } },
];

const ofPod: Right = (make, object) => {
  const {
    ephemeralContainers: _e,
    serviceAccount: _a,
    nodeName: _n,
    priority: _p,
    overhead: _o,
    ...rest
  } = (object["spec"] ?? {}) as Bag;
  return { ...object, spec: pod(make, { containers: [], ...rest }, false) };
};

const selected: Right = (make, object) => {
  const given = (object["spec"] ?? {}) as Bag;
  const labels = { app: make.pick(["a", "web"]) };
  const { spec: of } = ofPod(make, (given["template"] ?? {}) as Bag);
  const { activeDeadlineSeconds: _a, ...podSpec } = of as Bag;
  const { strategy: _s, progressDeadlineSeconds: _p, ...rest } = given;
  return {
    ...object,
    spec: { ...rest, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } },
  };
};

const ingress: Right = (make, given) => ({
  ...given,
  httpOption: make.pick(["Enabled", "Redirected"]),
  tls: ((given["tls"] ?? []) as Bag[]).map((tls) => ({
    ...tls,
    secretName: "s",
    secretNamespace: "default",
  })),
  rules: [
    {
      hosts: ["a.example.com"],
      visibility: make.pick(["ExternalIP", "ClusterLocal"]),
      http: {
        paths: [
          {
            splits: [
              {
                serviceNamespace: "default",
                serviceName: "a",
                servicePort: make.pick<unknown>([80, "http"]),
                ...(make.chance(0.5) ? { percent: 100 } : {}),
              },
            ],
            ...(make.chance(0.5) ? { appendHeaders: { A: "ü" } } : {}),
          },
        ],
      },
    },
  ],
});

const metrics: readonly Bag[] = [
  { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
  { type: "Resource", resource: { name: "cpu", target: { type: "AverageValue", averageValue: "500m" } } },
  { type: "Resource", resource: { name: "memory", target: { type: "Utilization", averageUtilization: 60 } } },
  { type: "Pods", pods: { metric: { name: "rps" }, target: { type: "AverageValue", averageValue: "1k" } } },
];

const byKind: { readonly [kind: string]: Right } = {
  ...istioRules,
  "Pod.": ofPod,
  "Deployment.apps": selected,
  "ReplicaSet.apps": selected,
  "Service.": spec((make, given) => {
    const { clusterIP: _c, clusterIPs: _cs, externalName: _e, ...rest } = given;
    const type = make.pick(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]);
    return {
      ...rest,
      type,
      ...(type === "ExternalName" ? { externalName: "a.example.com" } : {}),
      sessionAffinity: make.pick(["None", "ClientIP"]),
      internalTrafficPolicy: make.pick(["Cluster", "Local"]),
      externalTrafficPolicy: undefined,
      ports: ((given["ports"] ?? []) as Bag[])
        .concat({})
        .slice(0, 3)
        .map(({ nodePort: _n, ...port }, index) => ({ ...port, name: `p${index}`, port: 80 + index })),
    };
  }),
  "Secret.": (make, { data, ...object }) => ({
    ...object,
    data,
    type: make.pick(["Opaque", "example.com/own", undefined]),
  }),
  "ConfigMap.": (_make, object) => {
    const data = new Set(Object.keys((object["data"] ?? {}) as Bag));
    const binary = Object.entries((object["binaryData"] ?? {}) as Bag).filter(([name]) => !data.has(name));
    return { ...object, binaryData: Object.fromEntries(binary) };
  },
  "Event.": (_make, object) => ({
    ...object,
    involvedObject: { ...(object["involvedObject"] as Bag), namespace: "default" },
  }),
  "Event.events.k8s.io": (_make, object) => ({
    ...object,
    regarding: { ...(object["regarding"] as Bag), namespace: "default" },
  }),
  "PersistentVolumeClaim.": spec((make, given) => ({
    ...given,
    accessModes: [make.pick(["ReadWriteOnce", "ReadOnlyMany"])],
    resources: { requests: { storage: make.pick(["1Gi", "500M"]) } },
  })),
  "HorizontalPodAutoscaler.autoscaling": spec((make, given) => ({
    ...given,
    minReplicas: 1 + make.below(3),
    maxReplicas: 3 + make.below(9),
    ...(given["metrics"] === undefined
      ? {}
      : { metrics: Array.from({ length: make.below(4) }, () => make.pick(metrics)) }),
  })),
  "EndpointSlice.discovery.k8s.io": (make, object) => ({
    ...object,
    addressType: make.pick(["IPv4", "IPv6", "FQDN"]),
    endpoints: ((object["endpoints"] ?? []) as Bag[]).map((one) => ({ ...one, addresses: ["10.0.0.1"] })),
  }),
  "PodDisruptionBudget.policy": spec((make, { minAvailable: _a, maxUnavailable: _u, ...given }) => ({
    ...given,
    ...make.pick<Bag>([{}, { minAvailable: 1 }, { maxUnavailable: "50%" }]),
  })),
  ...Object.fromEntries(
    ["Role", "ClusterRole"].map((name): [string, Right] => [
      `${name}.rbac.authorization.k8s.io`,
      (_make, object) => ({
        ...object,
        ...(object["rules"] === undefined
          ? {}
          : {
              rules: (object["rules"] as Bag[]).map((rule) => ({
                ...rule,
                verbs: ["get"],
                apiGroups: ["", "apps"],
                resources: ["pods", "*"],
              })),
            }),
      }),
    ]),
  ),
  ...Object.fromEntries(
    ["RoleBinding", "ClusterRoleBinding"].map((name): [string, Right] => [
      `${name}.rbac.authorization.k8s.io`,
      (make, object) => ({
        ...object,
        roleRef: { kind: "ClusterRole", name: "view" },
        subjects: ((object["subjects"] ?? []) as Bag[]).map((one) => ({
          ...one,
          kind: make.pick(["User", "Group", "ServiceAccount"]),
          name: "a",
          namespace: "default",
          apiGroup: undefined,
        })),
      }),
    ]),
  ),
  "CustomResourceDefinition.apiextensions.k8s.io": (make, object) => {
    const id = String((object["metadata"] as Bag)["name"]);
    const version = (name: string, storage: boolean): Bag => ({
      name,
      served: true,
      storage,
      schema: {
        openAPIV3Schema: {
          type: "object",
          properties: {
            spec: { type: "object", properties: { a: { type: make.pick(["string", "integer"]) } } },
          },
        },
      },
      ...(make.chance(0.5) ? { subresources: { status: {} } } : {}),
    });
    const versions = make.chance(0.5) ? [version("v1", true)] : [version("v1", false), version("v2", true)];
    return {
      ...object,
      metadata: { ...(object["metadata"] as Bag), name: `${id}s.example.com` },
      spec: {
        group: "example.com",
        scope: make.pick(["Cluster", "Namespaced"]),
        names: { plural: `${id}s`, kind: `K${id}`, ...(make.chance(0.3) ? { shortNames: [`s${id}`] } : {}) },
        versions,
      },
    };
  },
  "Service.serving.knative.dev/v1": spec((make, given) => ({
    template: template(make, given["template"]),
    build: build(make, given),
    ...(make.chance(0.6) ? { traffic: traffic(make, true) } : {}),
  })),
  "Configuration.serving.knative.dev/v1": spec((make, given) => ({
    template: template(make, given["template"]),
    build: build(make, given),
  })),
  "Revision.serving.knative.dev/v1": spec((make, given) => template(make, { spec: given })["spec"] as Bag),
  "Route.serving.knative.dev/v1": spec((make) => ({ traffic: traffic(make, false) })),
  "Service.serving.knative.dev/v1alpha1": spec((make, given) => {
    const inner = seenConfiguration(make, given);
    return make.pick<Bag>([
      { runLatest: { configuration: inner } },
      { pinned: { revisionName: "a-00001", configuration: inner } },
      { release: { revisions: ["a-00001"], configuration: inner } },
      {
        release: { revisions: ["a-00001", "@latest"], rolloutPercent: make.below(100), configuration: inner },
      },
      { manual: {} },
      {
        ...inner,
        ...(make.chance(0.6)
          ? { traffic: traffic(make, true).map(({ tag, ...one }) => ({ ...one, name: tag })) }
          : {}),
      },
    ]);
  }),
  "Configuration.serving.knative.dev/v1alpha1": spec((make, given) => seenConfiguration(make, given)),
  "Revision.serving.knative.dev/v1alpha1": spec((make, given) => {
    const { revisionTemplate, template: plain } = seenConfiguration(make, { template: { spec: given } });
    return ((revisionTemplate ?? plain) as Bag)["spec"] as Bag;
  }),
  "Route.serving.knative.dev/v1alpha1": spec((make) => ({
    traffic: traffic(make, false).map(({ tag, ...one }) => ({ ...one, name: tag })),
  })),
  "DomainMapping.serving.knative.dev": (make, object) => ({
    ...object,
    metadata: {
      ...(object["metadata"] as Bag),
      name: `${String((object["metadata"] as Bag)["name"])}.example.com`,
    },
    spec: {
      ...(object["spec"] as Bag),
      ref: { kind: "Service", name: "a", apiVersion: make.pick(["v1", "serving.knative.dev/v1"]) },
    },
  }),
  "Build.build.knative.dev": spec(buildSpec),
  "PodAutoscaler.autoscaling.internal.knative.dev": spec((make, given) => ({
    ...given,
    reachability: make.pick(["Reachable", "Unreachable"]),
    protocolType: "http1",
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "a" },
  })),
  "Ingress.networking.internal.knative.dev": spec(ingress),
  "ServerlessService.networking.internal.knative.dev": spec((make, given) => ({
    ...given,
    mode: make.pick(["Serve", "Proxy"]),
    protocolType: make.pick(["http1", "h2c"]),
    objectRef: { apiVersion: "apps/v1", kind: "Deployment", name: "a" },
  })),
  "Certificate.networking.internal.knative.dev": spec((_make, given) => ({
    ...given,
    dnsNames: ["a.example.com"],
    secretName: "s",
    domain: "example.com",
  })),
  "InferenceService.serving.kserve.io": spec((make, given) => ({
    predictor: predictor(make, (given["predictor"] ?? {}) as Bag),
  })),
  "InferenceService.serving.kubeflow.org": spec((make, given) => {
    const { predictor: of } = (given["default"] ?? {}) as { readonly predictor?: Bag };
    const { serviceAccountName, parallelism, logger } = of ?? {};
    return {
      default: { predictor: { serviceAccountName, parallelism, logger, ...make.pick(seenPredictors) } },
    };
  }),
};

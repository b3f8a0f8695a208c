import { describe, expect, it } from "vitest";
import { readServingConfig } from "../config/index.js";
import type { AdmissionContext, Resource } from "../kind.js";
import { builtinKinds } from "../kinds.js";
import { applyDefaults, prune, validateSchema } from "../schema/index.js";
import { base64OfText } from "./base64.js";

const user = { name: "u", groups: [] };

/** What admission does with a kind, less names: schema, defaults, rules. */
function admit(kindName: string, given: object, old?: object) {
  const kind = builtinKinds.find((one) => one.kind === kindName);
  if (kind === undefined) throw new Error(`no kind ${kindName}`);
  const whole = (object: object) => ({
    metadata: { name: "a", namespace: "ns" },
    ...object,
    apiVersion: "x",
    kind: kindName,
  });
  const context: AdmissionContext<Resource> = {
    operation: old === undefined ? "create" : "update",
    subresource: "",
    old: undefined,
    user,
    config: () => readServingConfig(() => undefined),
  };
  const fill = (object: object, so: AdmissionContext<Resource>) => {
    const filled = applyDefaults(kind.schema, prune(kind.schema, whole(object)).value) as Resource;
    return isWhole(filled) ? (kind.defaults?.(filled, so) ?? filled) : filled;
  };
  // As admission does: a kind's own defaults and rules see only what has all its type requires.
  const isWhole = (object: Resource) =>
    validateSchema(kind.schema, object).every((error) => error.reason !== "FieldValueRequired");
  const before = old === undefined ? undefined : fill(old, { ...context, operation: "create" });
  const object = fill(given, { ...context, old: before });
  if (isWhole(object)) {
    expect(kind.defaults?.(object, { ...context, old: before }) ?? object).toEqual(object);
  }
  const errors = [
    ...validateSchema(kind.schema, object),
    ...(isWhole(object) ? (kind.validate?.(object, { ...context, old: before }) ?? []) : []),
  ].map((error) => `${error.field}: ${error.message}`);
  return { object: object as Resource & { readonly [name: string]: unknown }, errors };
}

const c = (more: object = {}) => ({ name: "c", image: "i", ...more });
const pod = (more: object = {}) => ({ spec: { containers: [c()], ...more } });

describe("Pod", () => {
  it("is filled in as upstream does", () => {
    const { object } = admit("Pod", {
      spec: {
        containers: [
          c({
            ports: [{ containerPort: 80 }],
            readinessProbe: { httpGet: { port: 80 } },
            resources: { limits: { cpu: "1000m" } },
            env: [{ name: "N", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
          }),
        ],
        volumes: [{ name: "s", secret: { secretName: "s" } }, { name: "e" }],
      },
    });
    expect(object["spec"]).toMatchObject({
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      schedulerName: "default-scheduler",
      securityContext: {},
      enableServiceLinks: true,
      serviceAccountName: "default",
      serviceAccount: "default",
      priority: 0,
      preemptionPolicy: "PreemptLowerPriority",
      tolerations: [
        {
          key: "node.kubernetes.io/not-ready",
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds: 300,
        },
        {
          key: "node.kubernetes.io/unreachable",
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds: 300,
        },
      ],
      containers: [
        {
          imagePullPolicy: "Always",
          terminationMessagePath: "/dev/termination-log",
          terminationMessagePolicy: "File",
          ports: [{ containerPort: 80, protocol: "TCP" }],
          readinessProbe: {
            httpGet: { path: "/", port: 80, scheme: "HTTP" },
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
          },
          resources: { limits: { cpu: "1" }, requests: { cpu: "1" } },
          env: [{ valueFrom: { fieldRef: { apiVersion: "v1" } } }],
        },
      ],
      volumes: [{ secret: { defaultMode: 420 } }, { name: "e", emptyDir: {} }],
    });
    expect(object["status"]).toEqual({ phase: "Pending", qosClass: "Burstable" });
  });

  it.each([
    ["nginx", "Always"],
    ["nginx:latest", "Always"],
    ["nginx:1.2", "IfNotPresent"],
    ["reg:5000/nginx", "Always"],
    ["reg:5000/nginx:1", "IfNotPresent"],
    ["nginx@sha256:abc", "IfNotPresent"],
  ])("pulls %s %s", (image, policy) => {
    const { object } = admit("Pod", { spec: { containers: [c({ image })] } });
    expect(object["spec"]).toMatchObject({ containers: [{ imagePullPolicy: policy }] });
  });

  it.each([
    [{}, "BestEffort"],
    [{ requests: { cpu: "1" } }, "Burstable"],
    [{ limits: { cpu: "1", memory: "1Gi" } }, "Guaranteed"],
  ])("with %j is %s", (resources, qosClass) => {
    expect(admit("Pod", { spec: { containers: [c({ resources })] } }).object["status"]).toMatchObject({
      qosClass,
    });
  });

  it.each<[string, object, string[]]>([
    ["a plain one", pod(), []],
    ["no containers", pod({ containers: [] }), ["spec.containers: Required value"]],
    ["no image", pod({ containers: [{ name: "c" }] }), ["spec.containers[0].image: Required value"]],
    [
      "a name twice",
      pod({ containers: [c(), c()] }),
      [
        'spec.containers[1]: Duplicate value: map[string]interface {}{"name":"c"}',
        'spec.containers[1].name: Duplicate value: "c"',
      ],
    ],
    [
      "a mount of nothing",
      pod({ containers: [c({ volumeMounts: [{ name: "nov", mountPath: "/" }] })] }),
      ['spec.containers[0].volumeMounts[0].name: Not found: "nov"'],
    ],
    [
      "more asked than allowed",
      pod({ containers: [c({ resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } })] }),
      [
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      ],
    ],
    [
      "a port out of range",
      pod({ containers: [c({ ports: [{ containerPort: 70000 }] })] }),
      [
        "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
      ],
    ],
    [
      "a probe of nothing",
      pod({ containers: [c({ livenessProbe: {} })] }),
      ["spec.containers[0].livenessProbe: Required value: must specify a handler type"],
    ],
    [
      "two volumes in one",
      pod({ volumes: [{ name: "v", emptyDir: {}, secret: { secretName: "s" } }] }),
      ["spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type"],
    ],
    [
      "a policy nobody has",
      pod({ restartPolicy: "Maybe" }),
      ['spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      "no quantity",
      pod({ containers: [c({ resources: { limits: { cpu: "1KI" } } })] }),
      [
        "spec.containers[0].resources.limits.cpu: Invalid value: \"\": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTPE]*[-+]?[0-9]*)$'",
        "spec.containers[0].resources.requests.cpu: Invalid value: \"\": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTPE]*[-+]?[0-9]*)$'",
      ],
    ],
  ])("%s", (_name, given, want) => {
    expect(admit("Pod", given).errors).toEqual(want);
  });

  it.each<[string, object, object, boolean]>([
    ["an image may change", pod(), pod({ containers: [c({ image: "j", imagePullPolicy: "Always" })] }), true],
    ["a command may not", pod(), pod({ containers: [c({ command: ["x"] })] }), false],
    ["tolerations may be added", pod(), pod({ tolerations: [{ key: "x" }] }), true],
    ["tolerations may not be taken", pod({ tolerations: [{ key: "x" }] }), pod(), false],
    ["a pod gets its node", pod(), pod({ nodeName: "n" }), true],
    ["and keeps it", pod({ nodeName: "n" }), pod({ nodeName: "m" }), false],
    ["containers may not be added", pod(), pod({ containers: [c(), c({ name: "d" })] }), false],
    [
      "a deadline may come and shrink",
      pod({ activeDeadlineSeconds: 9 }),
      pod({ activeDeadlineSeconds: 5 }),
      true,
    ],
    ["a deadline may not grow", pod({ activeDeadlineSeconds: 5 }), pod({ activeDeadlineSeconds: 9 }), false],
  ])("on update: %s", (_name, old, given, good) => {
    expect(admit("Pod", given, old).errors.length === 0).toBe(good);
  });

  it("says what may change", () => {
    expect(admit("Pod", pod({ hostname: "h" }), pod()).errors[0]).toMatch(
      /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`/,
    );
  });
});

describe("Service", () => {
  const service = (spec: object) => ({ spec });

  it("is filled in as upstream does", () => {
    const { object } = admit("Service", service({ ports: [{ port: 80 }], selector: { a: "b" } }));
    expect(object).toMatchObject({
      spec: {
        type: "ClusterIP",
        sessionAffinity: "None",
        internalTrafficPolicy: "Cluster",
        ipFamilies: ["IPv4"],
        ipFamilyPolicy: "SingleStack",
        ports: [{ port: 80, targetPort: 80, protocol: "TCP" }],
      },
      status: { loadBalancer: {} },
    });
    expect(admit("Service", service({ clusterIP: "None" })).object["spec"]).toMatchObject({
      ipFamilyPolicy: "RequireDualStack",
    });
    expect(
      admit("Service", service({ type: "NodePort", ports: [{ port: 1 }] })).object["spec"],
    ).toMatchObject({
      externalTrafficPolicy: "Cluster",
    });
  });

  it.each<[string, object, object | undefined, string[]]>([
    ["no ports", {}, undefined, ["spec.ports: Required value"]],
    ["headless needs none", { clusterIP: "None" }, undefined, []],
    [
      "several ports need names",
      { ports: [{ port: 1 }, { port: 2, name: "b" }] },
      undefined,
      ["spec.ports[0].name: Required value"],
    ],
    [
      "a name twice",
      {
        ports: [
          { port: 1, name: "b" },
          { port: 2, name: "b" },
        ],
      },
      undefined,
      ['spec.ports[1].name: Duplicate value: "b"'],
    ],
    [
      "an unknown type",
      { type: "X", ports: [{ port: 1 }] },
      undefined,
      [
        'spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      "an address is kept",
      { clusterIP: "10.0.0.2", ports: [{ port: 1 }] },
      { clusterIP: "10.0.0.1", ports: [{ port: 1 }] },
      ['spec.clusterIPs[0]: Invalid value: []string{"10.0.0.2"}: may not change once set'],
    ],
    ["an external name has one", { type: "ExternalName" }, undefined, ["spec.externalName: Required value"]],
  ])("%s", (_name, spec, old, want) => {
    expect(admit("Service", service(spec), old === undefined ? undefined : service(old)).errors).toEqual(
      want,
    );
  });
});

describe("ConfigMap and Secret", () => {
  it("folds stringData into data", () => {
    const { object } = admit("Secret", { data: { a: "QQ==", b: "Qg==" }, stringData: { a: "ä€😀" } });
    expect(object).toMatchObject({ type: "Opaque", data: { a: "w6Tigqzwn5iA", b: "Qg==" } });
    expect(object).not.toHaveProperty("stringData");
  });

  it.each(["", "a", "ab", "abc", "ä€😀", "\ud800"])("encodes %j as Node does", (text) => {
    expect(base64OfText(text)).toBe(Buffer.from(text).toString("base64"));
  });

  const forbidden = (field: string) => `${field}: Forbidden: field is immutable when \`immutable\` is set`;
  it.each<[string, string, object, object | undefined, string[]]>([
    [
      "a key with a slash",
      "ConfigMap",
      { data: { "a/b": "" } },
      undefined,
      [
        "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      ],
    ],
    [
      "immutable data",
      "ConfigMap",
      { immutable: true, data: { a: "2" } },
      { immutable: true, data: { a: "1" } },
      [forbidden("data")],
    ],
    ["immutable for good", "Secret", { data: {} }, { immutable: true }, [forbidden("immutable")]],
    ["a type named like what every object has", "Secret", { type: "constructor" }, undefined, []],
    ["becoming immutable is fine", "Secret", { immutable: true, data: { a: "QQ==" } }, { data: {} }, []],
    [
      "tls without key",
      "Secret",
      { type: "kubernetes.io/tls", data: { "tls.crt": "QQ==" } },
      undefined,
      ["data[tls.key]: Required value"],
    ],
    [
      "another type",
      "Secret",
      { type: "x" },
      { type: "y" },
      ['type: Invalid value: "x": field is immutable'],
    ],
    [
      "too large",
      "ConfigMap",
      { data: { a: "x".repeat(1024 * 1024 + 1) } },
      undefined,
      [": Too long: may not be more than 1048576 bytes"],
    ],
  ])("%s", (_name, kind, given, old, want) => {
    expect(admit(kind, given, old).errors).toEqual(want);
  });
});

describe("the rest of core", () => {
  it("labels and holds a namespace", () => {
    expect(admit("Namespace", { metadata: { name: "n" } }).object).toMatchObject({
      metadata: { labels: { "kubernetes.io/metadata.name": "n" } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
  });

  it("spells quotas canonically, and lets limits default from one another", () => {
    expect(admit("ResourceQuota", { spec: { hard: { cpu: "1000m" } } }).object).toMatchObject({
      spec: { hard: { cpu: "1" } },
    });
    const limits = [{ type: "Container", max: { cpu: "2" }, default: { memory: "1024Mi" } }];
    expect(admit("LimitRange", { spec: { limits } }).object).toMatchObject({
      spec: {
        limits: [{ default: { cpu: "2", memory: "1Gi" }, defaultRequest: { cpu: "2", memory: "1Gi" } }],
      },
    });
  });

  const claim = (more: object = {}) => ({
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...more },
  });
  it.each<[string, string, object, object | undefined, string[]]>([
    [
      "a claim without a size",
      "PersistentVolumeClaim",
      claim({ resources: {} }),
      undefined,
      ["spec.resources[storage]: Required value"],
    ],
    ["a claim may be bound", "PersistentVolumeClaim", claim({ volumeName: "v" }), claim(), []],
    [
      "a claim may grow",
      "PersistentVolumeClaim",
      claim({ resources: { requests: { storage: "2Gi" } } }),
      claim(),
      [],
    ],
    [
      "a claim changes nothing else",
      "PersistentVolumeClaim",
      claim({ storageClassName: "x" }),
      claim(),
      [
        "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
      ],
    ],
    [
      "an event elsewhere",
      "Event",
      { involvedObject: { kind: "Pod", namespace: "other" } },
      undefined,
      ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
    ],
  ])("%s", (_name, kind, given, old, want) => {
    expect(admit(kind, given, old).errors).toEqual(want);
  });
});

describe("Deployment", () => {
  const template = { metadata: { labels: { a: "c" } }, spec: { containers: [c()] } };
  const deployment = (more: object = {}) => ({
    spec: { selector: { matchLabels: { a: "c" } }, template, ...more },
  });

  it("is filled in as upstream does", () => {
    expect(admit("Deployment", deployment()).object["spec"]).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
      template: { spec: { restartPolicy: "Always", containers: [{ imagePullPolicy: "Always" }] } },
    });
    // What admission adds to pods does not belong into their template.
    expect(admit("Deployment", deployment()).object).not.toHaveProperty("spec.template.spec.tolerations");
  });

  it.each<[string, object, object | undefined, string[]]>([
    [
      "a selector that misses",
      { selector: { matchLabels: { a: "b" } } },
      undefined,
      [
        'spec.template.metadata.labels: Invalid value: map[string]string{"a":"c"}: `selector` does not match template `labels`',
      ],
    ],
    [
      "a selector for everything",
      { selector: {} },
      undefined,
      [
        "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for deployment",
      ],
    ],
    [
      "a selector that moves",
      {},
      {
        selector: { matchLabels: { a: "c", b: "d" } },
        template: { ...template, metadata: { labels: { a: "c", b: "d" } } },
      },
      [
        'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"a":"c"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable',
      ],
    ],
    [
      "recreation that rolls",
      { strategy: { type: "Recreate", rollingUpdate: {} } },
      undefined,
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      "a rollout that cannot move",
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
      undefined,
      ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    ],
    [
      "fewer than none",
      { replicas: -1 },
      undefined,
      ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
    ],
    [
      "a bad template",
      { template: { ...template, spec: { containers: [] } } },
      undefined,
      ["spec.template.spec.containers: Required value"],
    ],
    [
      "pods that end",
      { template: { ...template, spec: { containers: [c()], restartPolicy: "Never" } } },
      undefined,
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
  ])("%s", (_name, spec, old, want) => {
    expect(
      admit("Deployment", deployment(spec), old === undefined ? undefined : deployment(old)).errors,
    ).toEqual(want);
  });
});

describe("other groups", () => {
  const scaleTargetRef = { kind: "Deployment", name: "d" };
  it("gives an autoscaler a metric", () => {
    expect(
      admit("HorizontalPodAutoscaler", { spec: { scaleTargetRef, maxReplicas: 3 } }).object,
    ).toMatchObject({
      spec: {
        minReplicas: 1,
        metrics: [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
          },
        ],
      },
      status: { desiredReplicas: 0 },
    });
  });

  const roleRef = { kind: "ClusterRole", name: "r" };
  it.each<[string, string, object, object | undefined, string[]]>([
    [
      "an autoscaler upside down",
      "HorizontalPodAutoscaler",
      { spec: { scaleTargetRef, minReplicas: 4, maxReplicas: 3 } },
      undefined,
      ["spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"],
    ],
    [
      "a budget with two minds",
      "PodDisruptionBudget",
      { spec: { minAvailable: 1, maxUnavailable: 1 } },
      undefined,
      ['spec: Invalid value: "object": minAvailable and maxUnavailable cannot be both set'],
    ],
    [
      "a binding that moves",
      "RoleBinding",
      { roleRef },
      { roleRef: { kind: "Role", name: "r" } },
      [
        'roleRef: Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"ClusterRole", Name:"r"}: cannot change roleRef',
      ],
    ],
    [
      "a cluster binding to a role",
      "ClusterRoleBinding",
      { roleRef: { kind: "Role", name: "r" } },
      undefined,
      ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
    ],
    [
      "a rule of nothing",
      "Role",
      { rules: [{ verbs: [], apiGroups: [""], resources: ["pods"] }] },
      undefined,
      ["rules[0].verbs: Required value: verbs must contain at least one value"],
    ],
    [
      "a slice of nowhere",
      "EndpointSlice",
      { addressType: "X", endpoints: [] },
      undefined,
      ['addressType: Unsupported value: "X": supported values: "FQDN", "IPv4", "IPv6"'],
    ],
  ])("%s", (_name, kind, given, old, want) => {
    expect(admit(kind, given, old).errors).toEqual(want);
  });

  it("puts users and groups into RBAC's group", () => {
    const subjects = [
      { kind: "User", name: "u" },
      { kind: "ServiceAccount", name: "s", namespace: "n" },
    ];
    expect(admit("RoleBinding", { roleRef, subjects }).object["subjects"]).toEqual([
      { kind: "User", name: "u", apiGroup: "rbac.authorization.k8s.io" },
      { kind: "ServiceAccount", name: "s", namespace: "n" },
    ]);
  });

  it("names the ports of a slice", () => {
    const slice = { addressType: "IPv4", endpoints: [{ addresses: ["1.2.3.4"] }], ports: [{ port: 1 }] };
    expect(admit("EndpointSlice", slice).object).toMatchObject({
      ports: [{ name: "", protocol: "TCP", port: 1 }],
      endpoints: [{ conditions: {} }],
    });
  });
});

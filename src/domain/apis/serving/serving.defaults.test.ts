// What an empty field means, and what never reaches a rule (knative-serving.md, sections 1.3 and 1.5).
import { describe, expect, it } from "vitest";
import { admitted, shippedConfig, withFeatures } from "../../../../test/admission.js";
import type { DefaultsConfig, ServingConfig } from "../config/index.js";
import { validateSchema } from "../schema/index.js";
import { Configuration } from "./configuration.types.js";
import { Revision } from "./revision.types.js";
import { Route } from "./route.types.js";
import { KnativeService } from "./service.types.js";
import { admittedTemplate } from "./template.defaults.js";

type Part = { readonly [name: string]: unknown };

const service = (spec: Part = {}, metadata: Part = {}) => ({
  metadata: { name: "cat", ...metadata },
  spec: { template: { spec: { containers: [{ image: "cat:v1" }], ...spec } } },
});
const withDefaults = (defaults: Partial<DefaultsConfig>): ServingConfig => ({
  ...shippedConfig,
  defaults: { ...shippedConfig.defaults, ...defaults },
});
const filled = (spec: Part, config = shippedConfig) =>
  admitted(KnativeService, service(spec), { config }).object.spec.template?.spec as unknown as Part & {
    readonly containers: readonly Part[];
    readonly initContainers?: readonly Part[];
  };
const only = (container: Part, config = shippedConfig, spec: Part = {}) =>
  filled({ containers: [{ image: "cat:v1", ...container }], ...spec }, config).containers[0];

describe("a template's defaults", () => {
  it("are those of a cluster as shipped", () => {
    expect(filled({})).toEqual({
      containers: [
        {
          image: "cat:v1",
          name: "user-container",
          resources: {},
          readinessProbe: { tcpSocket: { port: 0 }, successThreshold: 1 },
        },
      ],
      timeoutSeconds: 300,
      containerConcurrency: 0,
      enableServiceLinks: false,
    });
  });

  it("are those of config-defaults", () => {
    const config = withDefaults({
      revisionTimeoutSeconds: 60,
      revisionIdleTimeoutSeconds: 20,
      revisionResponseStartTimeoutSeconds: 60,
      containerConcurrency: 3,
      requests: { cpu: "100m" },
      limits: { memory: "1Gi" },
      enableServiceLinks: undefined,
    });
    expect(filled({}, config)).toMatchObject({
      timeoutSeconds: 60,
      idleTimeoutSeconds: 20,
      containerConcurrency: 3,
      containers: [{ resources: { requests: { cpu: "100m" }, limits: { memory: "1Gi" } } }],
    });
    // Not shorter than the whole request's, so it says nothing.
    expect(filled({}, config)).not.toHaveProperty("responseStartTimeoutSeconds");
    expect(filled({}, config)).not.toHaveProperty("enableServiceLinks");
  });

  it("take a timeout of zero for none", () => {
    expect(filled({ timeoutSeconds: 0, containerConcurrency: 0 })).toMatchObject({
      timeoutSeconds: 300,
      containerConcurrency: 0,
    });
  });

  it("leave what is said", () => {
    const config = withDefaults({ requests: { cpu: "1", memory: "1Gi" } });
    const resources = { requests: { cpu: "2" } };
    expect(only({ resources }, config)).toMatchObject({
      resources: { requests: { cpu: "2", memory: "1Gi" } },
    });
  });
});

describe("containers", () => {
  const names = (containers: readonly Part[], config = shippedConfig, spec: Part = {}) => {
    const { containers: main, initContainers = [] } = filled({ containers, ...spec }, config);
    return [...main, ...initContainers].map((one) => one["name"]);
  };

  it("are named, with numbers where there are several", () => {
    expect(names([{}])).toEqual(["user-container"]);
    expect(names([{}, {}, { name: "x" }, {}])).toEqual([
      "user-container-0",
      "user-container-1",
      "x",
      "user-container-2",
    ]);
    expect(names([{ name: "user-container-0" }, {}])).toEqual(["user-container-0", "user-container-1"]);
    expect(names([{}], shippedConfig, { initContainers: [{}] })).toEqual([
      "user-container",
      "init-container",
    ]);
    expect(names([{ name: "init-container" }], shippedConfig, { initContainers: [{}] })).toEqual([
      "init-container",
      "init-container-0",
    ]);
  });

  it("are named after the object they belong to, where config-defaults says so", () => {
    const config = withDefaults({ containerNameTemplate: "{{.Name}}-of-{{.Namespace}}" });
    expect(names([{}], config)).toEqual(["cat-of-default"]);
  });

  it("are asked whether they are ready, if they serve", () => {
    const port = { ports: [{ containerPort: 8080 }] };
    const [main, sidecar] = filled({ containers: [port, {}] }).containers;
    expect(main).toHaveProperty("readinessProbe");
    expect(sidecar).not.toHaveProperty("readinessProbe");
  });

  it("are probed at Knative's pace, or at the one that is said", () => {
    const httpGet = { port: 8080 };
    expect(only({ readinessProbe: { httpGet } })).toMatchObject({
      readinessProbe: { httpGet, successThreshold: 1 },
    });
    expect(only({ readinessProbe: { httpGet, periodSeconds: 2 } })).toMatchObject({
      readinessProbe: { failureThreshold: 3, timeoutSeconds: 1, periodSeconds: 2 },
    });
  });

  it("write only to what may be written to", () => {
    const volumes = [
      { name: "scratch", emptyDir: {} },
      { name: "config", configMap: { name: "c" } },
    ];
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
    expect(only({ volumeMounts }, shippedConfig, { volumes })).toMatchObject({
      volumeMounts: [
        { name: "scratch", mountPath: "/scratch" },
        { name: "config", readOnly: true },
      ],
    });
  });
});

describe("secure-pod-defaults", () => {
  const secure = (securePodDefaults: "enabled" | "AllowRootBounded", container: Part = {}, spec: Part = {}) =>
    only(container, withFeatures({ securePodDefaults }), spec)?.["securityContext"];

  it("are the safe choice for all that is open", () => {
    expect(secure("enabled")).toEqual({
      allowPrivilegeEscalation: false,
      seccompProfile: { type: "RuntimeDefault" },
      capabilities: { drop: ["ALL"] },
      runAsNonRoot: true,
    });
  });

  it("let root be root where that is allowed", () => {
    expect(secure("AllowRootBounded")).not.toHaveProperty("runAsNonRoot");
  });

  it("let a low port be listened on", () => {
    expect(secure("enabled", { ports: [{ containerPort: 80 }] })).toMatchObject({
      capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
    });
  });

  it("leave what is said, by the container or by the pod", () => {
    const own = { allowPrivilegeEscalation: true, capabilities: {}, runAsNonRoot: false };
    expect(secure("enabled", { securityContext: own })).toMatchObject(own);
    const pod = { securityContext: { runAsNonRoot: false, seccompProfile: { type: "Unconfined" } } };
    const found = secure("enabled", {}, pod);
    expect(found).not.toHaveProperty("runAsNonRoot");
    expect(found).not.toHaveProperty("seccompProfile");
  });
});

describe("updates", () => {
  const config = withDefaults({ revisionTimeoutSeconds: 77 });
  const later = (given: object, old: KnativeService) =>
    admitted(KnativeService, { ...given, metadata: old.metadata }, { old, config, user: "bob" }).object;

  it("get today's defaults, but no service links", () => {
    const old = admitted(KnativeService, service()).object;
    const spec = later(service(), old).spec.template?.spec;
    expect(spec?.timeoutSeconds).toBe(77);
    expect(spec).not.toHaveProperty("enableServiceLinks");
  });

  it("leave a template alone that was named by its user and still is", () => {
    const named = (name: string) => ({
      ...service(),
      spec: { template: { metadata: { name }, spec: { containers: [{ image: "cat:v1" }] } } },
    });
    const old = admitted(KnativeService, named("cat-one")).object;
    expect(later(named("cat-one"), old).spec.template?.spec).not.toHaveProperty("timeoutSeconds");
    expect(later(named("cat-two"), old).spec.template?.spec.timeoutSeconds).toBe(77);
  });

  it("of the status change nothing", () => {
    const old = admitted(KnativeService, service()).object;
    expect(admitted(KnativeService, old, { old, config, subresource: "status" }).object).toEqual(old);
  });

  it("of a Revision add nothing", () => {
    const given = { metadata: { name: "cat-1" }, spec: { containers: [{ image: "cat:v1" }] } };
    const old = admitted(Revision, given).object;
    expect(old.spec.timeoutSeconds).toBe(300);
    expect(admitted(Revision, given, { old, config }).object.spec).toEqual(given.spec);
  });
});

describe("signatures", () => {
  const names = ["serving.knative.dev/creator", "serving.knative.dev/lastModifier"];
  const signature = (object: { readonly metadata: { readonly annotations?: unknown } }) =>
    names.map((name) => (object.metadata.annotations as Part | undefined)?.[name]);

  it("are the server's, whatever the body says", () => {
    const forged = service({}, { annotations: { [names[0] as string]: "mallory" } });
    expect(signature(admitted(KnativeService, forged).object)).toEqual(["alice", "alice"]);
  });

  it("change with the spec, and only the last one", () => {
    const old = admitted(KnativeService, service()).object;
    const update = (given: object) =>
      signature(admitted(KnativeService, { ...given, metadata: old.metadata }, { old, user: "bob" }).object);
    expect(update(old)).toEqual(["alice", "alice"]);
    expect(update(service({ timeoutSeconds: 5 }))).toEqual(["alice", "bob"]);
  });

  it("are not put on what belongs to a Service", () => {
    const ownerReferences = [
      { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "cat", uid: "u" },
    ];
    const owned = service({}, { ownerReferences });
    expect(signature(admitted(Configuration, owned).object)).toEqual([undefined, undefined]);
    expect(signature(admitted(Configuration, service()).object)).toEqual(["alice", "alice"]);
    const route = { metadata: { name: "cat", ownerReferences }, spec: { traffic: [{ revisionName: "r" }] } };
    expect(signature(admitted(Route, route).object)).toEqual([undefined, undefined]);
  });
});

describe("traffic", () => {
  it("goes to the latest when nothing is said", () => {
    expect(admitted(KnativeService, service()).object.spec.traffic).toEqual([
      { percent: 100, latestRevision: true },
    ]);
  });

  it("follows the latest wherever no Revision is named", () => {
    const given = {
      metadata: { name: "cat" },
      spec: {
        traffic: [
          { revisionName: "r", percent: 100 },
          { tag: "a", configurationName: "c" },
        ],
      },
    };
    expect(admitted(Route, given).object.spec.traffic).toEqual([
      { revisionName: "r", percent: 100, latestRevision: false },
      { tag: "a", configurationName: "c", percent: 0, latestRevision: true },
    ]);
  });
});

describe("the schema", () => {
  it("drops what upstream's does not know, and refuses none of it", () => {
    const given = service({
      restartPolicy: "Never",
      hostname: "h",
      nodeName: "n",
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          image: "cat:v1",
          lifecycle: {},
          stdin: true,
          stdinOnce: true,
          tty: true,
          volumeDevices: [],
          resizePolicy: [],
          ports: [{ containerPort: 8080, hostPort: 80, hostIP: "1.2.3.4" }],
          securityContext: { procMount: "x", seLinuxOptions: {} },
        },
      ],
    });
    const { object, unknown, denied } = admitted(KnativeService, given);
    expect(denied).toBeUndefined();
    // Whoever asks for fieldValidation: Strict is told of each.
    const at = "spec.template.spec";
    const in0 = `${at}.containers[0]`;
    expect([...unknown].sort()).toEqual(
      [
        ...["restartPolicy", "hostname", "nodeName", "terminationGracePeriodSeconds"].map(
          (name) => `${at}.${name}`,
        ),
        ...["lifecycle", "stdin", "stdinOnce", "tty", "volumeDevices", "resizePolicy"].map(
          (name) => `${in0}.${name}`,
        ),
        ...[
          "ports[0].hostPort",
          "ports[0].hostIP",
          "securityContext.procMount",
          "securityContext.seLinuxOptions",
        ].map((name) => `${in0}.${name}`),
      ].sort(),
    );
    expect(object.spec.template?.spec.containers[0]?.ports).toEqual([
      { containerPort: 8080, protocol: "TCP" },
    ]);
  });

  it("has upstream's few defaults", () => {
    const container = only({
      env: [{ name: "A", valueFrom: { secretKeyRef: { key: "k" } } }],
      envFrom: [{ configMapRef: {} }],
      readinessProbe: { grpc: { port: 1 } },
    });
    expect(container).toMatchObject({
      env: [{ valueFrom: { secretKeyRef: { name: "", key: "k" } } }],
      envFrom: [{ configMapRef: { name: "" } }],
      readinessProbe: { grpc: { port: 1, service: "" } },
    });
  });

  it("keeps what it does not know of a template's metadata, and wants containers", () => {
    const template = { metadata: { zap: 1 }, spec: {} };
    const { object, invalid } = admitted(KnativeService, { metadata: { name: "cat" }, spec: { template } });
    expect(object.spec.template?.metadata).toEqual({ zap: 1 });
    expect(invalid).toEqual(["spec.template.spec.containers: Required value"]);
  });
});

it("a template admitted beforehand is what admission makes of it", () => {
  const template = { spec: { ...service().spec.template.spec, hostname: "h" } } as never;
  const { object } = admitted(KnativeService, { metadata: { name: "cat" }, spec: { template } });
  const parent = { name: "cat" };
  expect(admittedTemplate(template, { config: shippedConfig, parent })).toEqual(object.spec.template);
  expect(validateSchema(KnativeService.schema, object)).toEqual([]);
});

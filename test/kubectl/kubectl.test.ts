// What people type, against a started server: the words they see are part of the contract.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Event } from "../../src/domain/apis/core/event.types.js";
import { startWorld, until, type World, withoutKubectl } from "./world.js";

const missing = withoutKubectl();
const skipped = missing === undefined ? "" : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`kubectl${skipped}`, () => {
  let world: World;
  let ok: World["ok"];
  let places = 0;
  beforeAll(async () => {
    world = await startWorld();
    ({ ok } = world);
  });
  afterAll(async () => {
    const { failures } = world;
    await world.close();
    expect(failures).toEqual([]);
  });

  /** A namespace of the test's own. */
  async function place(): Promise<string> {
    const name = `t${++places}`;
    await ok(`create ns ${name}`);
    return name;
  }
  const configMap = (name: string, data: { [key: string]: string }) =>
    JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
  const deployment = (name: string, replicas: number) =>
    JSON.stringify({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: { containers: [{ name: "c", image: "nginx" }] },
        },
      },
    });
  const failed = async (args: string | readonly string[], input = "") => {
    const { code, err, out } = await world.kubectl(args, input);
    expect(code, out).not.toBe(0);
    return err;
  };

  it("version, api-resources, health", async () => {
    expect(await ok("version")).toContain("Server Version: v1.32.");
    const resources = await ok("api-resources");
    expect(resources).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
    expect(resources).toMatch(/^namespaces +ns +v1 +false +Namespace$/m);
    expect(await ok("api-versions")).toContain("autoscaling/v1\nautoscaling/v2\n");
    expect(await ok(["get", "--raw", "/readyz?verbose"])).toBe(
      "[+]ping ok\n[+]store ok\n[+]store-queue ok\nreadyz check passed\n",
    );
    expect(await ok(["get", "--raw", "/metrics"])).toContain("drydock_apiserver_store_writes_total");
  });

  it("create, and again", async () => {
    const ns = await place();
    expect(await ok(`create cm a -n ${ns} --from-literal=x=y`)).toBe("configmap/a created\n");
    expect(await failed(`create cm a -n ${ns} --from-literal=x=y`)).toContain(
      'configmaps "a" already exists',
    );
    expect(await ok(`create secret generic s -n ${ns} --from-literal=k=v`)).toBe("secret/s created\n");
    expect(await ok(`get secret s -n ${ns} -o jsonpath={.data.k}`)).toBe("dg==");
    expect(await failed("create cm a -n nons --from-literal=x=y")).toContain('namespaces "nons" not found');
    expect(await ok(`create deployment web -n ${ns} --image=nginx --replicas=2`)).toBe(
      "deployment.apps/web created\n",
    );
    expect(
      await ok(
        `get deploy web -n ${ns} -o jsonpath={.spec.replicas}/{.spec.strategy.type}/{.metadata.generation}`,
      ),
    ).toBe("2/RollingUpdate/1");
    expect(
      await failed(
        ["create", "-n", ns, "-f", "-"],
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"},"dat":{}}',
      ),
    ).toContain('strict decoding error: unknown field "dat"');
  });

  it("apply: created, unchanged, configured; and what was left out goes", async () => {
    const ns = await place();
    const apply = (text: string) => ok(["apply", "-n", ns, "-f", "-"], text);
    expect(await apply(configMap("a", { x: "1", y: "2" }))).toBe("configmap/a created\n");
    const version = await ok(`get cm a -n ${ns} -o jsonpath={.metadata.resourceVersion}`);
    expect(await apply(configMap("a", { x: "1", y: "2" }))).toBe("configmap/a unchanged\n");
    expect(await ok(`get cm a -n ${ns} -o jsonpath={.metadata.resourceVersion}`)).toBe(version);
    expect(await apply(configMap("a", { x: "3" }))).toBe("configmap/a configured\n");
    expect(await ok(`get cm a -n ${ns} -o jsonpath={.data}`)).toBe('{"x":"3"}');
    expect(await apply(deployment("web", 1))).toBe("deployment.apps/web created\n");
    expect(await apply(deployment("web", 1))).toBe("deployment.apps/web unchanged\n");
    expect(await apply(deployment("web", 3))).toBe("deployment.apps/web configured\n");
  });

  it("get, in every form", async () => {
    const ns = await place();
    await ok(`create cm a -n ${ns} --from-literal=x=y`);
    await ok(["apply", "-n", ns, "-f", "-"], deployment("web", 2));
    expect(await ok(`get cm -n ${ns}`)).toMatch(/^NAME +DATA +AGE\na +1 +\d+s\n$/);
    expect(await ok(`get deploy -n ${ns} -o wide`)).toMatch(
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +0\/2 +0 +0 +\d+s +c +nginx +app=web\n$/,
    );
    expect(await ok("get cm -A")).toMatch(
      new RegExp(`^NAMESPACE +NAME +DATA +AGE\n(.*\n)*${ns} +a +1 +\\d+s\n`),
    );
    expect(await ok(`get cm a -n ${ns} -o yaml`)).toMatch(
      /^apiVersion: v1\ndata:\n {2}x: "y"\nkind: ConfigMap\nmetadata:\n/,
    );
    expect(await ok(`get cm -n ${ns} -o name`)).toBe("configmap/a\n");
    expect(await ok(`get all -n ${ns}`)).toContain("deployment.apps/web");
    expect(await ok(`get cm -n ${ns} --sort-by=.metadata.name`)).toContain("a ");
    expect(await failed(`get cm nobody -n ${ns}`)).toBe(
      'Error from server (NotFound): configmaps "nobody" not found\n',
    );
    expect((await world.kubectl(`get cm -n nons`)).err).toBe("No resources found in nons namespace.\n");
    expect(await failed(`get cm -n ${ns} --field-selector spec.foo=1`)).toContain("BadRequest");
    expect(await ok(`get deploy web -n ${ns} --subresource=scale`)).toMatch(
      /NAME +DESIRED +AVAILABLE +AGE\nweb +2 +0/,
    );
    expect(await ok(`get cm -n ${ns} --chunk-size=1 -o name`)).toBe("configmap/a\n");
  });

  it("get -w shows what comes", async () => {
    const ns = await place();
    await ok(`create cm a -n ${ns} --from-literal=x=y`);
    const watch = world.background(`get cm -n ${ns} -w --output-watch-events`);
    try {
      await until(() => /ADDED +a/.test(watch.said()), "the first");
      await ok(`create cm b -n ${ns} --from-literal=x=y`);
      await ok(`label cm b -n ${ns} q=r`);
      await ok(`delete cm a -n ${ns}`);
      await until(() => watch.said().includes("DELETED"), "the last");
      expect(watch.said().replace(/\d+s/g, "0s").replace(/ +/g, " ")).toBe(
        "EVENT NAME DATA AGE\nADDED a 1 0s\nADDED b 1 0s\nMODIFIED b 1 0s\nDELETED a 1 0s\n",
      );
    } finally {
      watch.stop();
    }
  });

  it("describe, with events", async () => {
    const ns = await place();
    await ok(`create cm a -n ${ns} --from-literal=x=y`);
    const map = await world.client.get(
      (await import("../../src/domain/apis/core/config.types.js")).ConfigMap,
      { namespace: ns, name: "a" },
    );
    await world.client.create(Event, {
      metadata: { name: "a.1", namespace: ns },
      involvedObject: {
        kind: "ConfigMap",
        apiVersion: "v1",
        name: "a",
        namespace: ns,
        uid: map?.metadata.uid ?? "",
      },
      reason: "Noticed",
      message: "something happened",
      type: "Normal",
      count: 2,
      source: { component: "test" },
      firstTimestamp: "2026-01-01T00:00:00Z",
      lastTimestamp: "2026-01-01T00:00:00Z",
    });
    const described = await ok(`describe cm a -n ${ns}`);
    expect(described).toContain("Name:         a");
    expect(described).toMatch(/Normal +Noticed .*test +something happened/);
    expect(await ok(`get events -n ${ns}`)).toMatch(/Normal +Noticed +configmap\/a +something happened/);
    expect(await ok(`events -n ${ns} --for cm/a`)).toContain("something happened");
    expect(
      await ok(
        `get events.v1.events.k8s.io -n ${ns} -o jsonpath={.items[0].note}/{.items[0].regarding.name}`,
      ),
    ).toBe("something happened/a");
  });

  it("label, annotate, patch three ways", async () => {
    const ns = await place();
    await ok(["apply", "-n", ns, "-f", "-"], deployment("web", 1));
    expect(await ok(`label deploy web -n ${ns} tier=front`)).toBe("deployment.apps/web labeled\n");
    expect(await ok(`get deploy -n ${ns} -l tier=front -o name`)).toBe("deployment.apps/web\n");
    expect(await ok(`get deploy -n ${ns} --show-labels`)).toContain("tier=front");
    expect(await ok(`label deploy web -n ${ns} tier-`)).toBe("deployment.apps/web unlabeled\n");
    const patch = (type: string, body: unknown) =>
      ok(["patch", "deploy", "web", "-n", ns, "--type", type, "-p", JSON.stringify(body)]);
    await patch("strategic", {
      spec: { template: { spec: { containers: [{ name: "side", image: "busybox" }] } } },
    });
    expect(await ok(`get deploy web -n ${ns} -o jsonpath={.spec.template.spec.containers[*].name}`)).toBe(
      "side c",
    );
    await patch("merge", { spec: { replicas: 4 } });
    await patch("json", [{ op: "remove", path: "/spec/template/spec/containers/0" }]);
    expect(
      await ok(
        `get deploy web -n ${ns} -o jsonpath={.spec.replicas}/{.spec.template.spec.containers[*].name}`,
      ),
    ).toBe("4/c");
    expect(await patch("merge", {})).toBe("deployment.apps/web patched (no change)\n");
    await ok(`set image deploy/web -n ${ns} c=nginx:2`);
    await ok(`rollout restart deploy/web -n ${ns}`);
    expect(
      await failed([
        "patch",
        "deploy",
        "web",
        "-n",
        ns,
        "--type",
        "json",
        "-p",
        '[{"op":"test","path":"/spec/replicas","value":9}]',
      ]),
    ).toContain("the server rejected our request due to an error in our request");
  });

  it("apply --server-side keeps two managers apart", async () => {
    const ns = await place();
    const apply = (manager: string, text: string, ...more: string[]) =>
      world.kubectl(
        ["apply", "-n", ns, "--server-side", "--field-manager", manager, ...more, "-f", "-"],
        text,
      );
    expect((await apply("alice", configMap("a", { x: "1" }))).out).toBe("configmap/a serverside-applied\n");
    expect((await apply("bob", configMap("a", { y: "2" }))).out).toBe("configmap/a serverside-applied\n");
    const conflict = await apply("bob", configMap("a", { x: "9", y: "2" }));
    expect(conflict.err).toContain('Apply failed with 1 conflict: conflict with "alice": .data.x');
    expect(conflict.err).toContain("Please review the fields above");
    expect((await apply("bob", configMap("a", { x: "9", y: "2" }), "--force-conflicts")).code).toBe(0);
    expect((await apply("alice", configMap("a", { z: "3" }))).code).toBe(0);
    expect(await ok(`get cm a -n ${ns} -o jsonpath={.data}`)).toBe('{"x":"9","y":"2","z":"3"}');
    const managed = await ok(
      `get cm a -n ${ns} -o jsonpath={.metadata.managedFields[*].manager} --show-managed-fields`,
    );
    expect(managed.split(" ").sort()).toEqual(["alice", "bob"]);
  });

  it("from client-side apply to server-side", async () => {
    const ns = await place();
    await ok(["apply", "-n", ns, "-f", "-"], configMap("a", { x: "1", y: "1" }));
    await ok(["apply", "-n", ns, "--server-side", "-f", "-"], configMap("a", { x: "2" }));
    expect(await ok(`get cm a -n ${ns} -o jsonpath={.data}`)).toBe('{"x":"2"}');
  });

  it("diff, and dry runs, change nothing", async () => {
    const ns = await place();
    await ok(["apply", "-n", ns, "-f", "-"], configMap("a", { x: "1" }));
    const diff = await world.kubectl(["diff", "-n", ns, "-f", "-"], configMap("a", { x: "2" }));
    expect(diff.code).toBe(1);
    expect(diff.out).toMatch(/^- {2}x: "1"\n\+ {2}x: "2"$/m);
    expect(await ok(["apply", "--dry-run=server", "-n", ns, "-f", "-"], configMap("b", {}))).toContain(
      "created (server dry run)",
    );
    expect(await ok(`delete cm a -n ${ns} --dry-run=server`)).toContain("deleted (server dry run)");
    expect(await ok(`get cm -n ${ns} -o name`)).toBe("configmap/a\n");
  });

  it("edit, with an editor that knows what it wants", async () => {
    const ns = await place();
    await ok(["apply", "-n", ns, "-f", "-"], configMap("a", { x: "1" }));
    const editor = world.file("editor.sh", '#!/bin/sh\nsed -i \'s/x: "1"/x: "5"/\' "$1"\n');
    expect(await ok(`edit cm a -n ${ns}`, "", { KUBE_EDITOR: editor })).toBe("configmap/a edited\n");
    expect(await ok(`get cm a -n ${ns} -o jsonpath={.data.x}`)).toBe("5");
  });

  it("replace, with and without the version it was read at", async () => {
    const ns = await place();
    await ok(`create cm a -n ${ns} --from-literal=x=1`);
    const read = JSON.parse(await ok(`get cm a -n ${ns} -o json`));
    const replace = (object: unknown) =>
      world.kubectl(["replace", "-n", ns, "-f", "-"], JSON.stringify(object));
    expect((await replace({ ...read, data: { x: "2" } })).out).toBe("configmap/a replaced\n");
    expect((await replace({ ...read, data: { x: "3" } })).err).toContain(
      "the object has been modified; please apply your changes to the latest version",
    );
    expect((await replace({ ...read, metadata: { name: "a", namespace: ns }, data: { x: "3" } })).code).toBe(
      0,
    );
    expect(await ok(["replace", "--force", "-n", ns, "-f", "-"], JSON.stringify(read))).toContain(
      "configmap/a replaced",
    );
  });

  it("scale, autoscale, wait", async () => {
    const ns = await place();
    await ok(["apply", "-n", ns, "-f", "-"], deployment("web", 1));
    expect(await ok(`scale deploy web -n ${ns} --replicas=3`)).toBe("deployment.apps/web scaled\n");
    expect(await ok(`scale deploy web -n ${ns} --current-replicas=3 --replicas=0`)).toBe(
      "deployment.apps/web scaled\n",
    );
    expect(await ok(`get deploy web -n ${ns} -o jsonpath={.spec.replicas}/{.metadata.generation}`)).toBe(
      "0/3",
    );
    expect(await ok(`autoscale deploy web -n ${ns} --min=1 --max=5 --cpu-percent=70`)).toContain(
      "autoscaled",
    );
    expect(
      await ok(`get hpa web -n ${ns} -o jsonpath={.spec.metrics[0].resource.target.averageUtilization}`),
    ).toBe("70");
    expect(
      await ok(
        `get horizontalpodautoscalers.v1.autoscaling web -n ${ns} -o jsonpath={.spec.targetCPUUtilizationPercentage}`,
      ),
    ).toBe("70");
    const waiting = ok(`wait deploy/web -n ${ns} --for=jsonpath={.spec.replicas}=7 --timeout=10s`);
    await ok(`scale deploy web -n ${ns} --replicas=7`);
    expect(await waiting).toBe("deployment.apps/web condition met\n");
  });

  it("delete --wait waits for the last finalizer", async () => {
    const ns = await place();
    const held = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", finalizers: ["x.y/z"] } };
    await ok(["create", "-n", ns, "-f", "-"], JSON.stringify(held));
    const deletion = ok(`delete cm a -n ${ns} --wait`);
    await until(
      async () => (await ok(`get cm a -n ${ns} -o jsonpath={.metadata.deletionTimestamp}`)) !== "",
      "the mark",
    );
    expect(
      await failed([
        "patch",
        "cm",
        "a",
        "-n",
        ns,
        "--type=merge",
        "-p",
        '{"metadata":{"finalizers":["x.y/z","a.b/c"]}}',
      ]),
    ).toContain("no new finalizers can be added if the object is being deleted");
    await ok(["patch", "cm", "a", "-n", ns, "--type=merge", "-p", '{"metadata":{"finalizers":null}}']);
    expect(await deletion).toBe(`configmap "a" deleted\n`);
  });

  it("delete by label, and all", async () => {
    const ns = await place();
    for (const name of ["a", "b", "c"]) await ok(`create cm ${name} -n ${ns} --from-literal=x=y`);
    await ok(`label cm a b -n ${ns} q=r`);
    await ok(`delete cm -n ${ns} -l q=r`);
    expect(await ok(`get cm -n ${ns} -o name`)).toBe("configmap/c\n");
    await ok(`delete cm --all -n ${ns}`);
    expect(await ok(`get cm -n ${ns} -o name`)).toBe("");
  });

  it("delete ns closes it, and it goes once it is empty", async () => {
    const ns = await place();
    const deletion = ok(`delete ns ${ns}`);
    await until(
      async () => (await ok(`get ns ${ns} -o jsonpath={.status.phase}`)) === "Terminating",
      "the end's beginning",
    );
    expect(await failed(`create cm c1 -n ${ns} --from-literal=x=y`)).toContain(
      `configmaps "c1" is forbidden: unable to create new content in namespace ${ns} because it is being terminated`,
    );
    await world.registry.finalizeNamespace(ns, []);
    expect(await deletion).toBe(`namespace "${ns}" deleted\n`);
    expect(await failed("delete ns default")).toContain(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    );
  });

  it("explain", async () => {
    const explained = await ok("explain deployment.spec.replicas");
    expect(explained).toContain("KIND:       Deployment");
    expect(explained).toMatch(/FIELD: +replicas <integer>/);
  });

  it("auth: who, what, and as whom", async () => {
    const ns = await place();
    expect(await ok("auth whoami")).toContain("drydock-admin");
    expect(await ok("auth can-i create deployments")).toBe("yes\n");
    expect(await ok("auth can-i --list")).toContain("*.*");
    await ok(`create sa robot -n ${ns}`);
    const token = (await ok(`create token robot -n ${ns}`)).trim();
    const robot = world.config("robot", { token });
    const asRobot = (args: string) => world.kubectl(args, "", { KUBECONFIG: robot });
    expect((await asRobot("auth whoami")).out).toContain(`system:serviceaccount:${ns}:robot`);
    expect((await asRobot(`get cm -n ${ns}`)).err).toBe(
      `Error from server (Forbidden): configmaps is forbidden: User "system:serviceaccount:${ns}:robot" cannot list resource "configmaps" in API group "" in the namespace "${ns}"\n`,
    );
    await ok(`create role reader -n ${ns} --verb=get,list --resource=configmaps`);
    await ok(`create rolebinding r -n ${ns} --role=reader --serviceaccount=${ns}:robot`);
    expect((await asRobot(`get cm -n ${ns} -o name`)).code).toBe(0);
    expect((await asRobot(`delete cm x -n ${ns}`)).err).toContain('cannot delete resource "configmaps"');
    expect((await asRobot(`auth can-i list configmaps -n ${ns}`)).out).toBe("yes\n");
    expect((await world.kubectl(`auth can-i delete pods --as bob -n ${ns}`)).out).toBe("no\n");
    expect((await asRobot(`get cm --as bob -n ${ns}`)).err).toContain('cannot impersonate resource "users"');
    await ok(`delete sa robot -n ${ns}`);
    expect((await asRobot(`get cm -n ${ns}`)).err).toContain("Unauthorized");
  });

  describe("custom kinds", () => {
    const crd = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "widgets.probe.example.com" },
      spec: {
        group: "probe.example.com",
        scope: "Namespaced",
        names: { plural: "widgets", kind: "Widget", shortNames: ["wd"] },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            subresources: {
              status: {},
              scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
            },
            additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
            schema: {
              openAPIV3Schema: {
                type: "object",
                properties: {
                  spec: {
                    type: "object",
                    required: ["size"],
                    properties: {
                      size: { type: "integer", maximum: 100, description: "How large it is." },
                      color: { type: "string", enum: ["red", "green"], default: "red" },
                      replicas: { type: "integer" },
                      max: { type: "integer" },
                    },
                    "x-kubernetes-validations": [
                      {
                        rule: "!has(self.max) || self.size <= self.max",
                        message: "size must not exceed max",
                      },
                    ],
                  },
                  status: { type: "object", properties: { replicas: { type: "integer" } } },
                },
              },
            },
          },
        ],
      },
    };
    const widget = (name: string, spec: object) =>
      JSON.stringify({ apiVersion: "probe.example.com/v1", kind: "Widget", metadata: { name }, spec });

    it("are established, served, and judged", async () => {
      const ns = await place();
      expect(await ok("create -f -", JSON.stringify(crd))).toBe(
        "customresourcedefinition.apiextensions.k8s.io/widgets.probe.example.com created\n",
      );
      await ok("wait --for=condition=established crd/widgets.probe.example.com --timeout=5s");
      expect(await ok(["apply", "-n", ns, "-f", "-"], widget("w", { size: 3 }))).toBe(
        "widget.probe.example.com/w created\n",
      );
      expect(await ok(["apply", "-n", ns, "-f", "-"], widget("w", { size: 3 }))).toBe(
        "widget.probe.example.com/w unchanged\n",
      );
      expect(await ok(["apply", "-n", ns, "-f", "-"], widget("w", { size: 4 }))).toBe(
        "widget.probe.example.com/w configured\n",
      );
      expect(await ok(`get wd -n ${ns}`)).toBe("NAME   SIZE\nw      4\n");
      expect(await ok(`get wd w -n ${ns} -o jsonpath={.spec.color}/{.metadata.generation}`)).toBe("red/2");
      const wrong = await failed(["apply", "-n", ns, "-f", "-"], widget("x", { size: 101, color: "blue" }));
      expect(wrong).toContain('The Widget "x" is invalid:');
      expect(wrong).toContain(
        "* spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100",
      );
      expect(wrong).toContain('* spec.color: Unsupported value: "blue": supported values: "red", "green"');
      expect(await failed(["apply", "-n", ns, "-f", "-"], widget("x", {}))).toContain(
        "spec.size: Required value",
      );
      expect(await failed(["apply", "-n", ns, "-f", "-"], widget("x", { size: 5, max: 4 }))).toContain(
        'spec: Invalid value: "object": size must not exceed max',
      );
      expect(await failed(["apply", "-n", ns, "-f", "-"], widget("x", { size: 5, bogus: 1 }))).toContain(
        'unknown field "spec.bogus"',
      );
      expect(await failed(["patch", "wd", "w", "-n", ns, "-p", '{"spec":{"size":5}}'])).toContain(
        "application/strategic-merge-patch+json is not supported by probe.example.com/v1, Kind=Widget",
      );
      expect(await ok(`scale wd w -n ${ns} --replicas=2`)).toContain("scaled");
      expect(await ok("explain widget.spec.size")).toContain("How large it is.");
      expect(await ok(`describe wd w -n ${ns}`)).toMatch(/Size: +4/);
      await ok(
        ["apply", "-n", ns, "--server-side", "--field-manager=z", "-f", "-"],
        widget("ssa", { size: 1 }),
      );
      expect(
        (
          await world.kubectl(
            ["apply", "-n", ns, "--server-side", "--field-manager=y", "-f", "-"],
            widget("ssa", { size: 2 }),
          )
        ).err,
      ).toContain('Apply failed with 1 conflict: conflict with "z": .spec.size');
    });

    it("go when their definition goes", async () => {
      const deletion = ok("delete crd widgets.probe.example.com");
      await until(
        async () =>
          (await ok("get crd widgets.probe.example.com -o jsonpath={.metadata.deletionTimestamp}")) !== "",
        "the mark",
      );
      // What the controller does once the last object is gone.
      await ok([
        "patch",
        "crd",
        "widgets.probe.example.com",
        "--type=merge",
        "-p",
        '{"metadata":{"finalizers":null}}',
      ]);
      await deletion;
      await ok("api-resources");
      expect(await failed("get widgets")).toContain(`the server doesn't have a resource type "widgets"`);
    });

    it("with mistakes are refused", async () => {
      const bad = { ...crd, metadata: { name: "gadgets.probe.example.com" } };
      expect(await failed("create -f -", JSON.stringify(bad))).toContain(
        'must be spec.names.plural+"."+spec.group',
      );
    });
  });
});

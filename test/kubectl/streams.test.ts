// logs, exec, attach, cp, port-forward and top, as kubectl and the other clients do them.
import { createServer, get, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Node } from "../../src/domain/apis/core/node.types.js";
import { Pod } from "../../src/domain/apis/core/pod.types.js";
import { fakeNode } from "./fakeNode.js";
import { startWorld, until, type World, withoutKubectl } from "./world.js";

const missing = withoutKubectl();
describe.skipIf(missing !== undefined)(
  `streams${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let world: World;
    let web: Server;
    beforeAll(async () => {
      web = createServer((request, response) => response.end(`hello ${request.url}\n${"x".repeat(200_000)}`));
      await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
      world = await startWorld({ podRuntime: fakeNode({ 80: (web.address() as AddressInfo).port }) });
      const pod = await world.client.create(Pod, {
        metadata: { name: "p", namespace: "default" },
        spec: { nodeName: "n", containers: [{ name: "c", image: "i" }] },
      });
      await world.client.updateStatus(Pod, { ...pod, status: { phase: "Running" } });
      await world.client.create(Pod, {
        metadata: { name: "two", namespace: "default" },
        spec: {
          containers: [
            { name: "c", image: "i" },
            { name: "d", image: "i" },
          ],
          initContainers: [{ name: "i", image: "i" }],
        },
      });
      const node = await world.client.create(Node, { metadata: { name: "n" } });
      await world.client.updateStatus(Node, {
        ...node,
        status: { allocatable: { cpu: "2", memory: "1Gi" } },
      });
    });
    afterAll(async () => {
      web.close();
      await world.close();
    });

    it("logs", async () => {
      expect(await world.ok("logs p")).toBe("one\ntwo\nthree\n");
      expect(await world.ok("logs -f p --tail=1")).toBe("three\n");
      expect((await world.kubectl("logs p -c zz")).err).toContain("container zz is not valid for pod p");
      expect((await world.kubectl("logs p -p")).err).toContain(
        'previous terminated container "c" in pod "p" not found',
      );
      const raw = async (path: string) => (await world.kubectl(["get", "--raw", path])).err;
      expect(await raw("/api/v1/namespaces/default/pods/two/log")).toContain(
        "a container name must be specified for pod two, choose one of: [i c d]",
      );
      expect(await raw("/api/v1/namespaces/default/pods/p/log?tailLines=-1")).toContain(
        'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
      );
    });

    for (const [name, env] of [
      ["WebSocket", {}],
      ["SPDY", { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false" }],
    ] as const) {
      it(`exec over ${name}`, async () => {
        expect(await world.ok(["exec", "p", "--", "echo", "hi"], "", env)).toBe("hi\n");
        const failed = await world.kubectl(
          ["exec", "p", "--", "sh", "-c", "echo out; echo bad >&2; exit 3"],
          "",
          env,
        );
        expect(failed).toMatchObject({ code: 3, out: "out\n" });
        expect(failed.err).toContain("bad\ncommand terminated with exit code 3");
        const much = "a line of input\n".repeat(20_000);
        expect(await world.ok(["exec", "-i", "p", "--", "cat"], much, env)).toBe(much);
      });
    }

    it("exec refuses what cannot be", async () => {
      expect((await world.kubectl(["exec", "two", "-c", "c", "--", "true"])).err).toContain(
        "pod two does not have a host assigned",
      );
      expect((await world.kubectl(["exec", "nobody", "--", "true"])).err).toContain(
        'pods "nobody" not found',
      );
      const bare = await world.kubectl([
        "get",
        "--raw",
        "/api/v1/namespaces/default/pods/p/exec?command=true&stdout=true",
      ]);
      expect(bare.err).toContain("Upgrade request required");
    });

    it("cp there and back", async () => {
      const from = world.file("from.txt", "carried");
      await world.ok(`cp ${from} p:${world.home}/there.txt -c c`);
      await world.ok(`cp p:${world.home}/there.txt ${world.home}/back.txt -c c`);
      expect(await world.ok(["exec", "p", "--", "cat", `${world.home}/back.txt`])).toBe("carried");
    });

    it("attach shows what the container says", async () => {
      expect(await world.ok("attach p")).toContain("one\ntwo\nthree\n");
    });

    for (const [name, env] of [
      ["WebSocket", {}],
      ["SPDY", { KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" }],
    ] as const) {
      it(`port-forward over ${name}`, async () => {
        const forward = world.background("port-forward pod/p :80", env);
        try {
          await until(
            () => /Forwarding from 127.0.0.1:\d+/.test(forward.said()),
            `port-forward: ${forward.said()}`,
          );
          const port = Number(/127.0.0.1:(\d+)/.exec(forward.said())?.[1]);
          const bodies = await Promise.all(["/a", "/b", "/c"].map((path) => fetched(port, path)));
          expect(bodies.map((body) => `${body.slice(0, 8)} ${body.length}`)).toEqual([
            "hello /a 200009",
            "hello /b 200009",
            "hello /c 200009",
          ]);
        } finally {
          forward.stop();
        }
      });
    }

    it("port-forward says why a port cannot be reached", async () => {
      const forward = world.background("port-forward pod/p :81");
      try {
        await until(() => /Forwarding from 127.0.0.1:\d+/.test(forward.said()), "port-forward");
        await fetched(Number(/127.0.0.1:(\d+)/.exec(forward.said())?.[1]), "/").catch(() => "");
        await until(() => forward.said().includes("connection refused on port 81"), "the reason");
      } finally {
        forward.stop();
      }
    });

    it("port-forward in channels, as Python does it", async () => {
      const socket = open("portforward?ports=80", ["v4.channel.k8s.io"]);
      const said: Buffer[] = [];
      const done = new Promise<void>((resolve) => socket.on("close", () => resolve()));
      socket.on("message", (data: Buffer) => said.push(data));
      await until(() => said.length >= 2, "the ports");
      expect(said.slice(0, 2).map((one) => [...one])).toEqual([
        [0, 80, 0],
        [1, 80, 0],
      ]);
      socket.send(Buffer.concat([Buffer.of(0), Buffer.from("GET /py HTTP/1.0\r\n\r\n")]));
      await done;
      const text = Buffer.concat(said.slice(2).map((one) => one.subarray(1))).toString();
      expect(text).toContain("hello /py");
    });

    it("exec in the older protocol, as Python does it", async () => {
      const socket = open("exec?command=echo&command=hi&stdin=False&stdout=True&stderr=True", [
        "v4.channel.k8s.io",
      ]);
      const said: Buffer[] = [];
      socket.on("message", (data: Buffer) => said.push(data));
      await new Promise<void>((resolve) => socket.on("close", () => resolve()));
      expect(said[0]?.toString()).toBe("\u0001hi\n");
      expect(said[1]?.toString()).toBe(
        '\u0003{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}',
      );
    });

    it("leaves nothing behind when a client vanishes in the middle", async () => {
      const socket = open("exec?command=sleep&command=1000&stdout=true", ["v5.channel.k8s.io"]);
      await new Promise<void>((resolve) => socket.on("open", () => resolve()));
      socket.terminate();
      const bad = tlsConnect({ port: world.server.port, host: "127.0.0.1", rejectUnauthorized: false });
      bad.write(
        "GET /api/v1/namespaces/default/pods/p/exec?command=true&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      );
      const answer = await new Promise<string>((resolve) =>
        bad.once("data", (data: Buffer) => resolve(data.toString())),
      );
      expect(answer).toContain("401");
      bad.destroy();
    });

    it("top", async () => {
      expect(await world.ok("top pods")).toMatch(/p +12m +5Mi/);
      expect(await world.ok("top nodes")).toMatch(/n +12m +0% +5Mi +0%/);
    });

    function open(what: string, protocols: readonly string[]): WebSocket {
      const url = `${world.server.url.replace("https", "wss")}/api/v1/namespaces/default/pods/p/${what}`;
      return new WebSocket(url, [...protocols], {
        ca: world.pki.ca,
        headers: { Authorization: `Bearer ${world.pki.token}` },
      });
    }
  },
);

function fetched(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, path, host: "127.0.0.1", agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => resolve(text));
      response.on("error", reject);
    }).on("error", reject);
  });
}

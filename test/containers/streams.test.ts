// What the real kubectl does with a container: logs, commands in it, and a port of it on this machine.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWithEngine, goImage, shellImage } from "./engine.js";
import { freePort, type Killable, killableInstance } from "./instance.js";

describeWithEngine("kubectl and a container", ({ api }) => {
  let drydock: Killable;
  let forwarding: ChildProcess | undefined;

  beforeAll(async () => {
    const [server, shell] = [await goImage(api), await shellImage(api)];
    drydock = await killableInstance();
    await drydock.up();
    await drydock.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "pair" },
      spec: {
        containers: [
          { name: "server", image: server, ports: [{ containerPort: 8080 }] },
          { name: "shell", image: shell, command: ["/bin/sh", "-c", "echo shell is up; sleep 1000"] },
        ],
      },
    });
    await drydock.kubectl("wait", "pod/pair", "--for=condition=Ready", "--timeout=60s");
  }, 300_000);
  afterAll(async () => {
    forwarding?.kill("SIGKILL");
    await drydock?.remove();
  });

  it("logs", async () => {
    expect(await drydock.kubectl("logs", "pair", "-c", "shell")).toBe("shell is up\n");
    expect(await drydock.kubectl("logs", "pair", "-c", "server")).toContain("up with [from-image]");
  });

  it("exec, with input, output and an exit code", async () => {
    const config = ["--kubeconfig", join(drydock.home, "kubeconfig")];
    const words = ["exec", "-i", "pair", "-c", "shell", "--", "/bin/sh", "-c", "cat; hostname; exit 7"];
    const run = promisify(execFile)("kubectl", [...config, ...words]);
    run.child.stdin?.end("said\n");
    const failed = await run.then(
      () => undefined,
      (error: { readonly code: number; readonly stdout: string }) => error,
    );
    expect(failed).toMatchObject({ code: 7, stdout: "said\npair\n" });
  });

  it("port-forward", async () => {
    const port = await freePort();
    const words = ["port-forward", "pod/pair", `${port}:8080`];
    forwarding = spawn("kubectl", ["--kubeconfig", join(drydock.home, "kubeconfig"), ...words], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => forwarding?.stdout?.once("data", resolve));
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect(await answer.json()).toMatchObject({ host: "pair", args: ["from-image"] });
  }, 30_000);
});

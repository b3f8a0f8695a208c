// Images of the user's own, from `apply` to an answer through the gateway, on a real container engine.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Drydock, start } from "../../src/index.js";
import { describeWithEngine, goImage } from "./engine.js";

describeWithEngine("a server image of the user's own", ({ api }) => {
  let drydock: Drydock;
  beforeAll(async () => {
    await goImage(api);
    drydock = await start();
  }, 300_000);
  afterAll(() => drydock?.dispose());

  it("written in Go, from scratch", async () => {
    await drydock.apply(`
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: hello, namespace: default }
spec:
  template:
    spec:
      containers:
        - image: drydock.test/go:1
          env: [{ name: GREETING, value: "$(PORT) hi" }]
`);
    await drydock.ready("ksvc/hello");
    const answer = await fetch(`${drydock.gatewayUrl}/serving/default/hello/`).then((got) => got.json());
    expect(answer).toMatchObject({
      args: ["from-image"],
      env: { PORT: "8080", FROM_IMAGE: "yes", K_SERVICE: "hello" },
    });
  });
});

import { kubeClient } from "../../src/adapters/kubeClient/index.js";
import type { Kind } from "../../src/domain/apis/kind.js";
import { startWorld } from "../kubectl/world.js";
import { clientContract, Gadget } from "./client.js";

const kinds = [Gadget as unknown as Kind];

clientContract("in process", async () => {
  const world = await startWorld({ kinds });
  return { client: world.client, dispose: world.close };
});

clientContract("over HTTPS, with a certificate", async () => {
  const world = await startWorld({ kinds });
  const { ca, client: me } = world.pki;
  const client = kubeClient({ server: world.server.url, ca, cert: me.cert, key: me.key });
  return {
    client,
    dispose: async () => {
      client.close();
      await world.close();
    },
  };
});

clientContract("over HTTPS, with a token", async () => {
  const world = await startWorld({ kinds });
  const client = kubeClient({ server: world.server.url, ca: world.pki.ca, token: world.pki.token });
  return {
    client,
    dispose: async () => {
      client.close();
      await world.close();
    },
  };
});

clientContract("over HTTPS, hearing of changes while they are on their way to disk", async () => {
  const world = await startWorld({ kinds });
  const { ca, token } = world.pki;
  const client = kubeClient({ server: world.server.url, ca, token, early: true });
  return {
    client,
    dispose: async () => {
      client.close();
      await world.close();
    },
  };
});

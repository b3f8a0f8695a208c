// Who is asking the registry of an image, when the engine fetches it.
import { Secret, ServiceAccount } from "../domain/apis/core/config.types.js";
import { Pod } from "../domain/apis/core/pod.types.js";
import { pullSecretsOf } from "../domain/apis/core/pullSecret.js";
import type { ImageCredentials, PullCredentials } from "../kubelet/index.js";
import type { Listers } from "../ports/index.js";
import type { LazyRegistry } from "./imageDigests.js";

export function imageCredentials(listers: Listers, registries: LazyRegistry): ImageCredentials {
  return async (namespace, { imagePullSecrets, serviceAccountName }, image) => {
    const account = listers(ServiceAccount).get({ namespace, name: serviceAccountName || "default" });
    const found = pullSecretsOf(imagePullSecrets, account, (secret) =>
      listers(Secret).get({ namespace, name: secret }),
    );
    return (await registries()).credentialsFor(image, "credentials" in found ? found.credentials : []);
  };
}

export function pullCredentials(listers: Listers, ask: ImageCredentials): PullCredentials {
  return async ({ namespace, name }, image) =>
    ask(namespace, listers(Pod).get({ namespace, name })?.spec ?? {}, image);
}

// Who a pod is to the registry of its image, when the engine fetches it.
import { Secret, ServiceAccount } from "../domain/apis/core/config.types.js";
import { Pod } from "../domain/apis/core/pod.types.js";
import { pullSecretsOf } from "../domain/apis/core/pullSecret.js";
import type { PullCredentials } from "../kubelet/index.js";
import type { Listers } from "../ports/index.js";
import type { LazyRegistry } from "./imageDigests.js";

export function pullCredentials(listers: Listers, registries: LazyRegistry): PullCredentials {
  return async ({ namespace, name }, image) => {
    const { imagePullSecrets, serviceAccountName = "default" } =
      listers(Pod).get({ namespace, name })?.spec ?? {};
    const account = listers(ServiceAccount).get({ namespace, name: serviceAccountName });
    const found = pullSecretsOf(imagePullSecrets, account, (secret) =>
      listers(Secret).get({ namespace, name: secret }),
    );
    return (await registries()).credentialsFor(image, "credentials" in found ? found.credentials : []);
  };
}

/** How the model gets to /mnt/models: an init container that downloads it, or a claim mounted as it is (kserve.md, section 4.2). */
import type { Container } from "../../../domain/apis/core/container.types.js";
import type { Volume, VolumeMount } from "../../../domain/apis/core/volume.types.js";

export interface ModelSource {
  readonly initContainers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
}

const modelDirectory = "/mnt/models";

const volumeName = "kserve-provision-location";

const storageInitializerImage = "drydock/storage-initializer";

/** Where the storage initializer finds the credentials of an image's registry: upstream's own place and words. */
const ociAuth = {
  volume: "kserve-oci-auth",
  path: "/mnt/oci-fetch-auth",
  variable: "KSERVE_OCI_DOCKER_CONFIG",
};

/** `pullSecret` is the first of the predictor's imagePullSecrets, for a model that is in an image. */
export function modelSource(uri: string | undefined, pullSecret?: string): ModelSource {
  if (!uri) return { initContainers: [], volumes: [], mounts: [] };
  const claim = /^pvc:\/\/([^/]+)(?:\/(.*))?$/.exec(uri);
  if (claim !== null) {
    const [, claimName = "", path = ""] = claim;
    const subPath = path.replace(/^\/+|\/+$/g, "");
    return {
      initContainers: [],
      volumes: [{ name: "kserve-pvc-source", persistentVolumeClaim: { claimName } }],
      mounts: [
        {
          name: "kserve-pvc-source",
          mountPath: modelDirectory,
          readOnly: true,
          ...(subPath === "" ? {} : { subPath }),
        },
      ],
    };
  }
  const secret = /^oci(\+native|\+fetch)?:\/\//.test(uri) ? pullSecret : undefined;
  const auth: Pick<ModelSource, "volumes" | "mounts"> =
    secret === undefined
      ? { volumes: [], mounts: [] }
      : {
          volumes: [
            {
              name: ociAuth.volume,
              // The Revision's own condition tells of a Secret that is not there.
              secret: {
                secretName: secret,
                optional: true,
                items: [{ key: ".dockerconfigjson", path: "config.json" }],
              },
            },
          ],
          mounts: [{ name: ociAuth.volume, mountPath: ociAuth.path, readOnly: true }],
        };
  return {
    initContainers: [
      {
        name: "storage-initializer",
        image: storageInitializerImage,
        args: [uri, modelDirectory],
        ...(secret === undefined
          ? {}
          : { env: [{ name: ociAuth.variable, value: `${ociAuth.path}/config.json` }] }),
        terminationMessagePolicy: "FallbackToLogsOnError",
        resources: { requests: { cpu: "100m", memory: "100Mi" }, limits: { cpu: "1", memory: "1Gi" } },
        volumeMounts: [{ name: volumeName, mountPath: modelDirectory }, ...auth.mounts],
      },
    ],
    volumes: [{ name: volumeName, emptyDir: {} }, ...auth.volumes],
    mounts: [{ name: volumeName, mountPath: modelDirectory, readOnly: true }],
  };
}

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

export function modelSource(uri: string | undefined): ModelSource {
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
  return {
    initContainers: [
      {
        name: "storage-initializer",
        image: storageInitializerImage,
        args: [uri, modelDirectory],
        terminationMessagePolicy: "FallbackToLogsOnError",
        resources: { requests: { cpu: "100m", memory: "100Mi" }, limits: { cpu: "1", memory: "1Gi" } },
        volumeMounts: [{ name: volumeName, mountPath: modelDirectory }],
      },
    ],
    volumes: [{ name: volumeName, emptyDir: {} }],
    mounts: [{ name: volumeName, mountPath: modelDirectory, readOnly: true }],
  };
}

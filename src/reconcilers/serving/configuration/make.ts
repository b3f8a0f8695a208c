import { apiVersionOf } from "../../../domain/apis/kind.js";
import { isoSeconds } from "../../../domain/apis/meta/time.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import type { Revision } from "../../../domain/apis/serving/revision.types.js";
import type { Unsaved } from "../../../ports/index.js";
import { childName } from "../names.js";

/** The name the template asks for, or one made of the generation: NAME-00001. */
export function revisionName(configuration: Configuration): string {
  const asked = configuration.spec.template?.metadata?.name;
  return (
    asked ||
    childName(
      configuration.metadata.name,
      `-${String(configuration.metadata.generation ?? 1).padStart(5, "0")}`,
    )
  );
}

export function makeRevision(configuration: Configuration, nowMs: number): Unsaved<Revision> {
  const { metadata, spec } = configuration;
  const labels = metadata.labels ?? {};
  const annotations = metadata.annotations ?? {};
  const template = spec.template;
  return {
    metadata: {
      name: revisionName(configuration),
      namespace: metadata.namespace,
      labels: {
        ...template?.metadata?.labels,
        [serving.configuration]: metadata.name,
        [serving.configurationUid]: metadata.uid ?? "",
        [serving.configurationGeneration]: String(metadata.generation ?? 1),
        ...(labels[serving.service] ? { [serving.service]: labels[serving.service] } : {}),
        ...(labels[serving.serviceUid] ? { [serving.serviceUid]: labels[serving.serviceUid] } : {}),
        [serving.routingState]: annotations[serving.routes] ? "active" : "pending",
      },
      annotations: {
        ...template?.metadata?.annotations,
        [serving.creator]: annotations[serving.lastModifier] ?? annotations[serving.creator] ?? "",
        ...(annotations[serving.routes] ? { [serving.routes]: annotations[serving.routes] } : {}),
        [serving.routingStateModified]: isoSeconds(nowMs),
      },
      ownerReferences: [
        {
          apiVersion: apiVersionOf(Configuration),
          kind: "Configuration",
          name: metadata.name,
          uid: metadata.uid ?? "",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      ...(template?.spec ?? { containers: [] }),
      // The Build bears the Revision's name: one for each.
      ...(spec.build === undefined ? {} : { buildName: revisionName(configuration) }),
    },
  } as Unsaved<Revision>;
}

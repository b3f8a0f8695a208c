// ServerlessService: a Revision's public and private Services (networking.internal.knative.dev/v1alpha1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { type Infer, int32, obj, str } from "../schema/index.js";
import { requiredByWebhook, wordForWebhook } from "../serving/askedByWebhook.js";
import { duckStatusFields, readyColumns } from "../serving/status.types.js";
import { judgeServerlessService } from "./networking.admission.js";

const ServerlessServiceSchema = resource(
  {
    spec: requiredByWebhook(
      obj(
        {
          mode: wordForWebhook(["Serve", "Proxy"]),
          objectRef: requiredByWebhook(
            obj(
              { apiVersion: str(), kind: str(), name: str() },
              { required: ["apiVersion", "kind", "name"] },
            ),
          ),
          protocolType: wordForWebhook(["http1", "h2c"]),
          numActivators: int32(),
        },
        { required: ["mode", "objectRef", "protocolType"] },
      ),
    ),
    status: obj({ ...duckStatusFields(), serviceName: str(), privateServiceName: str() }),
  },
  { required: ["spec"], description: "The public and private Services of a Revision." },
);
export interface ServerlessService extends Infer<typeof ServerlessServiceSchema> {}

export const ServerlessService: Kind<ServerlessService> = defineKind<ServerlessService>({
  group: "networking.internal.knative.dev",
  version: "v1alpha1",
  kind: "ServerlessService",
  plural: "serverlessservices",
  shortNames: ["sks"],
  categories: ["knative-internal", "networking"],
  description: "The public and private Services of a Revision.",
  schema: ServerlessServiceSchema,
  webhook: judgeServerlessService,
  columns: [
    { name: "Mode", type: "string", jsonPath: ".spec.mode" },
    { name: "Activators", type: "integer", jsonPath: ".spec.numActivators" },
    { name: "ServiceName", type: "string", jsonPath: ".status.serviceName" },
    { name: "PrivateServiceName", type: "string", jsonPath: ".status.privateServiceName" },
    ...readyColumns,
  ],
});

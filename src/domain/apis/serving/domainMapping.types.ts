// DomainMapping: a domain of the user's own for something that has an address (serving.knative.dev/v1beta1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { type Infer, obj, str } from "../schema/index.js";
import { defaultDomainMapping, judgeDomainMapping } from "./domainMapping.admission.js";
import { duckStatusFields, readyColumns } from "./status.types.js";
import { AddressableSchema } from "./traffic.types.js";

const DomainMappingSchema = resource(
  {
    spec: obj(
      {
        ref: obj(
          {
            kind: str(),
            namespace: str({ description: "The mapping's own namespace, and no other." }),
            name: str(),
            apiVersion: str(),
            group: str(),
            address: str({ description: "Which of its addresses, by name." }),
          },
          { required: ["kind", "name"], description: "What the domain leads to." },
        ),
        tls: obj(
          { secretName: str() },
          { required: ["secretName"], description: "A certificate that is there already." },
        ),
      },
      { required: ["ref"] },
    ),
    status: obj({ ...duckStatusFields(), url: str(), address: AddressableSchema }),
  },
  { required: ["spec"], description: "A domain of one's own for something with an address." },
);
export interface DomainMapping extends Infer<typeof DomainMappingSchema> {}

export const DomainMapping: Kind<DomainMapping> = defineKind<DomainMapping>({
  group: "serving.knative.dev",
  version: "v1beta1",
  kind: "DomainMapping",
  plural: "domainmappings",
  shortNames: ["dm"],
  categories: ["all", "knative", "serving"],
  description: "A domain of one's own for something with an address.",
  schema: DomainMappingSchema,
  defaults: defaultDomainMapping,
  webhook: judgeDomainMapping,
  columns: [{ name: "URL", type: "string", jsonPath: ".status.url" }, ...readyColumns],
});

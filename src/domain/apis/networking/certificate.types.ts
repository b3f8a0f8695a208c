// Certificate: names for which somebody is to provide a certificate (networking.internal.knative.dev/v1alpha1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { type Infer, intOrString, list, obj, str, time } from "../schema/index.js";
import { duckStatusFields, readyColumns } from "../serving/status.types.js";
import { judgeCertificate } from "./networking.admission.js";

const CertificateSchema = resource(
  {
    spec: obj(
      {
        dnsNames: list(str(), { description: "What the certificate is for." }),
        domain: str({ description: "The domain the names belong to." }),
        secretName: str({ description: "Where the certificate is put." }),
      },
      { required: ["dnsNames", "secretName"] },
    ),
    status: obj({
      ...duckStatusFields(),
      notAfter: time({ nullable: true, description: "When the certificate ends." }),
      http01Challenges: list(
        obj({
          url: str(),
          serviceName: str(),
          serviceNamespace: str(),
          servicePort: intOrString(),
        }),
        { description: "What a certificate authority wants to see served." },
      ),
    }),
  },
  { required: ["spec"], description: "Names that want a certificate." },
);
export interface Certificate extends Infer<typeof CertificateSchema> {}

export const Certificate: Kind<Certificate> = defineKind<Certificate>({
  group: "networking.internal.knative.dev",
  version: "v1alpha1",
  kind: "Certificate",
  plural: "certificates",
  shortNames: ["kcert"],
  categories: ["knative-internal", "networking"],
  description: "Names that want a certificate.",
  schema: CertificateSchema,
  webhook: judgeCertificate,
  columns: readyColumns,
});

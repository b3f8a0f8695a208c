// Image: a hint that an image will be wanted soon (caching.internal.knative.dev/v1alpha1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { type Infer, list, obj, str } from "../schema/index.js";
import { duckStatusFields } from "../serving/status.types.js";

const ImageSchema = resource(
  {
    spec: obj(
      {
        image: str({ description: "What will be wanted." }),
        serviceAccountName: str({ description: "As whom it is fetched." }),
        imagePullSecrets: list(obj({ name: str({ default: "" }) })),
      },
      { required: ["image"] },
    ),
    status: obj({ ...duckStatusFields() }),
  },
  { required: ["spec"], description: "An image that will be wanted soon." },
);
export interface Image extends Infer<typeof ImageSchema> {}

export const Image: Kind<Image> = defineKind<Image>({
  group: "caching.internal.knative.dev",
  version: "v1alpha1",
  kind: "Image",
  plural: "images",
  categories: ["knative-internal", "caching"],
  description: "An image that will be wanted soon.",
  schema: ImageSchema,
  columns: [{ name: "Image", type: "string", jsonPath: ".spec.image" }],
});

// Where traffic goes, as wished in spec and as it is in status (knative-serving.md, section 1.4).
import { bool, type Infer, int64, list, obj, str } from "../schema/index.js";

export const TrafficTargetSchema = obj({
  tag: str({ description: "A name of its own for this target: TAG-ROUTE.NAMESPACE.DOMAIN." }),
  revisionName: str({ description: "A fixed Revision." }),
  configurationName: str({ description: "The latest ready Revision of this Configuration." }),
  latestRevision: bool({ description: "Whether this follows the latest ready Revision." }),
  percent: int64({ description: "Share of the traffic; all shares make 100." }),
  url: str({ description: "Where the tag is served; status only." }),
});
export interface TrafficTarget extends Infer<typeof TrafficTargetSchema> {}

export const TrafficSchema = list(TrafficTargetSchema);

export const AddressableSchema = obj({ name: str(), url: str(), CACerts: str(), audience: str() });

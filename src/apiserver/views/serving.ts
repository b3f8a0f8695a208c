// serving.knative.dev/v1alpha1: Knative's four kinds as the error-conditions document shows them.
import type { Kind, Resource } from "../../domain/apis/kind.js";
import { Configuration } from "../../domain/apis/serving/configuration.types.js";
import { Revision } from "../../domain/apis/serving/revision.types.js";
import { Route } from "../../domain/apis/serving/route.types.js";
import { KnativeService } from "../../domain/apis/serving/service.types.js";
import {
  configurationFromV1,
  configurationToV1,
} from "../../domain/apis/serving/v1alpha1/configuration.conversion.js";
import { ConfigurationV1alpha1 } from "../../domain/apis/serving/v1alpha1/configuration.types.js";
import { revisionFromV1, revisionToV1 } from "../../domain/apis/serving/v1alpha1/revision.conversion.js";
import { RevisionV1alpha1 } from "../../domain/apis/serving/v1alpha1/revision.types.js";
import { routeFromV1, routeToV1 } from "../../domain/apis/serving/v1alpha1/route.conversion.js";
import { RouteV1alpha1 } from "../../domain/apis/serving/v1alpha1/route.types.js";
import { serviceFromV1, serviceToV1 } from "../../domain/apis/serving/v1alpha1/service.conversion.js";
import { ServiceV1alpha1 } from "../../domain/apis/serving/v1alpha1/service.types.js";
import type { View } from "../registry/index.js";

export const servingViews: readonly View[] = [
  view(ServiceV1alpha1, KnativeService, serviceFromV1, serviceToV1),
  view(ConfigurationV1alpha1, Configuration, configurationFromV1, configurationToV1),
  view(RevisionV1alpha1, Revision, revisionFromV1, revisionToV1),
  view(RouteV1alpha1, Route, routeFromV1, routeToV1),
];

function view<Seen extends Resource, Stored extends Resource>(
  kind: Kind<Seen>,
  of: Kind<Stored>,
  toView: (stored: Stored) => Seen,
  fromView: (seen: Seen, old: Stored | undefined) => Stored,
): View {
  return { kind, of, toView, fromView } as unknown as View;
}

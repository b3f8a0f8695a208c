// DELETE of one object or of many.
import { apiVersionOf } from "../../domain/apis/kind.js";
import { type DeleteOptions, DeleteOptionsSchema } from "../../domain/apis/meta/meta.types.js";
import { isPortError } from "../../ports/index.js";
import { listPage } from "../listing.js";
import { listKindOf, type Served, type WriteContext } from "../registry/index.js";
import { badRequest, success } from "../status.js";
import { readBody } from "./body.js";
import { acceptedBy, type Call, isDryRun, warnOfDeprecation, writeContextOf } from "./call.js";
import { isTrue, type ResourcePath } from "./path.js";
import { listRequestOf } from "./read.js";
import { answer } from "./respond.js";

export async function deleteOne(
  call: Call,
  served: Served,
  { namespace, name }: ResourcePath,
): Promise<void> {
  const accepted = acceptedBy(call, served);
  warnOfDeprecation(call, served);
  const { options, write } = await deletionOf(call);
  const { stored, gone } = await call.house.registry.remove(served, namespace, name, options, write);
  if (!gone) return answer(call, 200, stored.json, accepted);
  return answer(call, 200, success(served.kind, name, stored.object.metadata.uid), accepted);
}

export async function deleteMany(call: Call, served: Served, { namespace }: ResourcePath): Promise<void> {
  const { registry } = call.house;
  const accepted = acceptedBy(call, served);
  const { options, write } = await deletionOf(call);
  const page = await listPage(registry, served, { ...listRequestOf(call.query, namespace), limit: 0 });
  const deleted = await Promise.all(
    page.items.map(async ({ object: { metadata } }) => {
      try {
        return await registry.remove(served, metadata.namespace ?? "", metadata.name, options, write);
      } catch (error) {
        // Someone else was faster, which is what was wanted.
        if (isPortError(error, "NotFound")) return undefined;
        throw error;
      }
    }),
  );
  const head = JSON.stringify({
    kind: listKindOf(served.kind),
    apiVersion: apiVersionOf(served.kind),
    metadata: { resourceVersion: String(registry.revision()) },
  });
  const items = deleted.flatMap((one) => one?.stored.json ?? []).join(",");
  return answer(call, 200, `${head.slice(0, -1)},"items":[${items}]}`, accepted);
}

async function deletionOf(
  call: Call,
): Promise<{ readonly options: DeleteOptions; readonly write: WriteContext }> {
  const { query } = call;
  // Clients name the options' version as they please, so the schema is found by kind alone.
  const body = await readBody(call.request, "DeleteOptions", (_apiVersion, kind) =>
    kind === "DeleteOptions" ? DeleteOptionsSchema : undefined,
  );
  const given = (body?.value ?? {}) as DeleteOptions;
  if (typeof given !== "object" || Array.isArray(given))
    throw badRequest("the DeleteOptions in the body are not an object");
  const grace = query.get("gracePeriodSeconds");
  const policy = query.get("propagationPolicy");
  const options: DeleteOptions = {
    ...given,
    ...(grace === null || grace === "" ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === null || policy === "" ? {} : { propagationPolicy: policy }),
    ...(query.has("orphanDependents") ? { orphanDependents: isTrue(query.get("orphanDependents")) } : {}),
  };
  const dryRun = isDryRun([...query.getAll("dryRun"), ...(options.dryRun ?? [])], "DeleteOptions");
  return { options, write: { ...writeContextOf(call, "UpdateOptions"), dryRun } };
}

// Subresources that are deeds rather than shapes: evict a pod, bind it, ask for a token.
import { TokenRequestSchema } from "../../domain/apis/authentication/authentication.types.js";
import type { Pod } from "../../domain/apis/core/pod.types.js";
import type { Resource } from "../../domain/apis/kind.js";
import { fieldErrors } from "../../domain/apis/meta/fieldError.js";
import type { DeleteOptions } from "../../domain/apis/meta/meta.types.js";
import { isoSeconds } from "../../domain/apis/meta/time.js";
import { EvictionSchema, type PodDisruptionBudget } from "../../domain/apis/policy/policy.types.js";
import { labelSelectorMatches } from "../../domain/apis/selectors/index.js";
import { issuer } from "../auth/tokens.js";
import { readBody } from "../http/body.js";
import { type Call, writeContextOf } from "../http/call.js";
import type { ResourcePath } from "../http/path.js";
import { answer } from "../http/respond.js";
import type { Served } from "../registry/index.js";
import { badRequest, conflict, invalid, notFound, refusal } from "../status.js";

export async function evict(call: Call, served: Served, { namespace, name }: ResourcePath): Promise<void> {
  const { registry } = call.house;
  const body = await readBody(call.request, "Eviction", (_v, kind) =>
    kind === "Eviction" ? EvictionSchema : undefined,
  );
  const { deleteOptions = {} } = (body?.value ?? {}) as { readonly deleteOptions?: DeleteOptions };
  const stored = registry.get(served, namespace, name);
  if (stored === undefined) throw notFound(served.kind, name);

  const budgets = registry.served.find("policy", "v1", "poddisruptionbudgets");
  const standsInTheWay = budgets?.collection.list({ namespace }).find(({ object }) => {
    const { spec, status } = object as Resource as PodDisruptionBudget;
    return (
      spec?.selector !== undefined &&
      labelSelectorMatches(spec.selector, stored.object.metadata.labels) &&
      (status?.disruptionsAllowed ?? 0) <= 0
    );
  });
  if (standsInTheWay !== undefined) {
    throw refusal("TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", {
      causes: [
        {
          reason: "DisruptionBudget",
          message: `The disruption budget ${standsInTheWay.object.metadata.name} does not allow another disruption right now`,
        },
      ],
    });
  }
  const write = writeContextOf(call, "CreateOptions");
  const dryRun = write.dryRun || (deleteOptions.dryRun ?? []).includes("All");
  await registry.remove(served, namespace, name, deleteOptions, { ...write, dryRun });
  await answer(call, 201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 });
}

/** What a scheduler does: says which node a pod runs on, once. */
export async function bind(call: Call, served: Served, { namespace, name }: ResourcePath): Promise<void> {
  const body = await readBody(call.request, "Binding", () => undefined);
  const { target } = (body?.value ?? {}) as { readonly target?: { readonly name?: string } };
  const node = target?.name ?? "";
  if (node === "") throw invalid({ group: "", kind: "Binding" }, name, [fieldErrors.required("target.name")]);
  await call.house.registry.update(
    served,
    namespace,
    name,
    "",
    (current) => {
      const pod = current as Resource as Pod & Resource;
      const bound = pod.spec?.nodeName ?? "";
      if (bound !== "")
        throw conflict(served.kind, name, `pod ${name} is already assigned to node ${JSON.stringify(bound)}`);
      return { object: { ...pod, spec: { ...pod.spec, nodeName: node } } as Resource, unconditional: true };
    },
    writeContextOf(call, "CreateOptions"),
  );
  await answer(call, 201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 });
}

export async function requestToken(
  call: Call,
  served: Served,
  { namespace, name }: ResourcePath,
): Promise<void> {
  const { registry, clock, tokens } = call.house;
  const body = await readBody(call.request, "TokenRequest", (_v, kind) =>
    kind === "TokenRequest" ? TokenRequestSchema : undefined,
  );
  const given = body?.value ?? {};
  if (typeof given !== "object" || Array.isArray(given)) throw badRequest("the body is not a TokenRequest");
  const { spec } = given as {
    readonly spec?: { readonly audiences?: readonly string[]; readonly expirationSeconds?: number };
  };
  const account = registry.get(served, namespace, name);
  if (account === undefined) throw notFound(served.kind, name);

  const expirationSeconds = spec?.expirationSeconds ?? 3600;
  if (!Number.isInteger(expirationSeconds) || expirationSeconds < 600) {
    throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", [
      fieldErrors.invalid(
        "spec.expirationSeconds",
        expirationSeconds,
        "may not specify a duration less than 10 minutes",
      ),
    ]);
  }
  const audiences = spec?.audiences?.length ? spec.audiences : [issuer];
  const nowMs = clock.now();
  const { uid = "" } = account.object.metadata;
  const token = tokens.issue({ namespace, name, uid }, audiences, expirationSeconds, nowMs);
  await answer(call, 201, {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { name, namespace, creationTimestamp: isoSeconds(nowMs) },
    spec: { audiences, expirationSeconds, boundObjectRef: null },
    status: { token, expirationTimestamp: isoSeconds(nowMs + expirationSeconds * 1000) },
  });
}

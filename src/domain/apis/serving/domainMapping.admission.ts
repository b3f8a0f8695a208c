// Admission of a DomainMapping: its name is the domain (knative-serving.md, sections 1.5 and 1.7.7).
import type { AdmissionContext, WebhookAnswer } from "../kind.js";
import { labelProblems, nameProblems } from "../names/index.js";
import type { DomainMapping } from "./domainMapping.types.js";
import { disallowed, fault, type KnativeErrors, missing, under, webhookAnswer } from "./knativeError.js";
import { isJudged, validateSignature } from "./metadata.validation.js";
import { signed } from "./serving.defaults.js";

const clusterDomain = "cluster.local";

export function defaultDomainMapping(
  mapping: DomainMapping,
  context: AdmissionContext<DomainMapping>,
): DomainMapping {
  if (context.subresource !== "") return mapping;
  const { ref } = mapping.spec;
  const namespace = ref.namespace || mapping.metadata.namespace;
  return signed({ ...mapping, spec: { ...mapping.spec, ref: { ...ref, namespace } } }, context);
}

export function judgeDomainMapping(
  mapping: DomainMapping,
  context: AdmissionContext<DomainMapping>,
): WebhookAnswer | undefined {
  if (!isJudged(mapping, context)) return undefined;
  const { generateName, name, namespace = "" } = mapping.metadata;
  return webhookAnswer([
    ...under("metadata", [
      ...(generateName ? disallowed("generateName") : []),
      ...validateDomain(name),
      ...validateSignature(mapping, context),
    ]),
    ...under("spec.ref", validateTarget(mapping.spec.ref, namespace)),
  ]);
}

function validateDomain(name: string): KnativeErrors {
  const problem = domainProblem(name);
  const quoted = JSON.stringify(name);
  return [
    ...(problem === undefined ? [] : fault(`invalid name ${quoted}: ${problem}`, ["name"])),
    ...(name.endsWith(`.${clusterDomain}`)
      ? fault(
          `invalid name ${quoted}: must not be a subdomain of cluster local domain ${JSON.stringify(clusterDomain)}`,
          ["name"],
        )
      : []),
  ];
}

/** As Kubernetes says that a domain is none; several complaints stand in brackets. */
function domainProblem(name: string): string | undefined {
  if (name === "") return "name: Required value";
  const problems = nameProblems("subdomain", name);
  const labels = name.split(".");
  const found =
    problems.length > 0
      ? problems
      : labels.length < 2
        ? ["should be a domain with at least two segments separated by dots"]
        : labels.flatMap(labelProblems);
  const said = found.map((problem) => `name: Invalid value: ${JSON.stringify(name)}: ${problem}`);
  return said.length > 1 ? `[${said.join(", ")}]` : said[0];
}

function validateTarget(ref: DomainMapping["spec"]["ref"], namespace: string): KnativeErrors {
  const elsewhere = ref.namespace && ref.namespace !== namespace;
  const lacking = (["name", "kind", "apiVersion"] as const).filter((name) => !ref[name]);
  return [
    ...(lacking.length === 0 ? [] : missing(...lacking)),
    ...(ref.group ? disallowed("group") : []),
    ...(elsewhere
      ? fault(
          "mismatched namespaces",
          ["namespace"],
          `parent namespace: ${JSON.stringify(namespace)} does not match ref: ${JSON.stringify(ref.namespace)}`,
        )
      : []),
  ];
}

// Admission of what the control plane says to a gateway (knative-serving.md, sections 1.5 and 1.7.7).
import { validateReference } from "../autoscaling/podAutoscaler.admission.js";
import type { AdmissionContext, WebhookAnswer } from "../kind.js";
import {
  fault,
  invalidValue,
  type KnativeErrors,
  missing,
  setFields,
  under,
  webhookAnswer,
} from "../serving/knativeError.js";
import { isJudged, validateNetworking } from "../serving/metadata.validation.js";
import type { Certificate } from "./certificate.types.js";
import type { IngressPath, IngressRule, IngressSplit, IngressTls, KnativeIngress } from "./ingress.types.js";
import type { ServerlessService } from "./serverlessService.types.js";

type Answer = WebhookAnswer | undefined;

/** A rule is for the outside unless it says otherwise, and whoever is alone gets everything. */
export function defaultIngress(
  ingress: KnativeIngress,
  { subresource }: AdmissionContext<KnativeIngress>,
): KnativeIngress {
  if (subresource !== "" || ingress.spec.rules === undefined) return ingress;
  const rules = ingress.spec.rules.map((rule) => ({
    ...rule,
    visibility: rule.visibility || ("ExternalIP" as const),
    ...(rule.http?.paths === undefined
      ? {}
      : { http: { ...rule.http, paths: rule.http.paths.map(defaultPath) } }),
  }));
  return { ...ingress, spec: { ...ingress.spec, rules } };
}

function defaultPath(path: IngressPath): IngressPath {
  const [only, ...others] = path.splits ?? [];
  if (only === undefined || others.length > 0 || only.percent) return path;
  return { ...path, splits: [{ ...only, percent: 100 }] };
}

export function judgeIngress(ingress: KnativeIngress, context: AdmissionContext<KnativeIngress>): Answer {
  if (!isJudged(ingress, context)) return undefined;
  const { metadata, spec } = ingress;
  if (setFields(spec).length === 0) return webhookAnswer(missing("spec"));
  const { rules = [], tls = [], httpOption = "" } = spec;
  return webhookAnswer(
    under("spec", [
      ...(rules.length === 0 ? missing("rules") : []),
      ...rules.flatMap((rule, index) =>
        under(["rules", index], validateRule(rule, metadata.namespace ?? "")),
      ),
      ...tls.flatMap((one, index) => under(["tls", index], validateTls(one))),
      ...(["", "Enabled", "Redirected"].includes(httpOption) ? [] : invalidValue(httpOption, "httpOption")),
    ]),
  );
}

function validateRule(rule: Partial<IngressRule>, namespace: string): KnativeErrors {
  if (setFields(rule).length === 0) return missing("");
  if (rule.http === undefined) return missing("http");
  const { paths = [] } = rule.http;
  if (paths.length === 0) return missing("http.paths");
  return paths.flatMap((path, index) => under(["http.paths", index], validatePath(path, namespace)));
}

function validatePath(path: Partial<IngressPath>, namespace: string): KnativeErrors {
  if (setFields(path).length === 0) return missing("");
  const { splits = [] } = path;
  if (splits.length === 0) return missing("splits");
  const total = splits.reduce((sum, split) => sum + (split.percent ?? 0), 0);
  // Alone one need not say that it gets everything.
  const shared = total === 100 || (splits.length === 1 && total === 0);
  return [
    ...splits.flatMap((split, index) => under(["splits", index], validateSplit(split, namespace))),
    ...(shared ? [] : fault(`traffic split percentage must total to 100, but was ${total}`, ["splits"])),
  ];
}

function validateSplit(split: Partial<IngressSplit>, namespace: string): KnativeErrors {
  if (setFields(split).length === 0) return missing("");
  const { percent = 0, serviceNamespace, serviceName, servicePort } = split;
  const elsewhere = serviceNamespace && serviceNamespace !== namespace;
  return [
    ...(percent < 0 || percent > 100 ? invalidValue(percent, "percent") : []),
    ...(serviceNamespace ? [] : missing("serviceNamespace")),
    ...(elsewhere ? fault("service namespace must match ingress namespace", ["serviceNamespace"]) : []),
    ...(serviceName ? [] : missing("serviceName")),
    ...(servicePort ? [] : missing("servicePort")),
  ];
}

function validateTls(tls: IngressTls): KnativeErrors {
  if (setFields(tls).length === 0) return missing("");
  return [
    ...(tls.secretName ? [] : missing("secretName")),
    ...(tls.secretNamespace ? [] : missing("secretNamespace")),
  ];
}

export function judgeServerlessService(
  services: ServerlessService,
  context: AdmissionContext<ServerlessService>,
): Answer {
  if (!isJudged(services, context)) return undefined;
  const { metadata, spec } = services;
  const { mode, objectRef, protocolType, numActivators = 0 } = spec;
  return webhookAnswer([
    ...under("metadata", validateNetworking(metadata.annotations)),
    ...under(
      "spec",
      setFields(spec).length === 0
        ? missing("")
        : [
            ...oneOf(mode, ["Serve", "Proxy"], "mode"),
            ...(numActivators < 0 ? invalidValue(numActivators, "numActivators") : []),
            ...under("objectRef", objectRef === undefined ? missing("") : validateReference(objectRef)),
            ...oneOf(protocolType, ["http1", "h2c"], "protocolType"),
          ],
    ),
  ]);
}

function oneOf(value: string | undefined, values: readonly string[], path: string): KnativeErrors {
  if (!value) return missing(path);
  return values.includes(value) ? [] : invalidValue(value, path);
}

export function judgeCertificate(certificate: Certificate, context: AdmissionContext<Certificate>): Answer {
  if (!isJudged(certificate, context)) return undefined;
  const { spec } = certificate;
  const { dnsNames = [], domain = "", secretName } = spec;
  const covered = dnsNames.some((name) => name === domain || name.endsWith(`.${domain}`));
  return webhookAnswer(
    under("spec", [
      ...(dnsNames.length === 0 ? missing("dnsNames") : []),
      ...dnsNames.flatMap((name, index) => (name === "" ? invalidValue("", `dnsNames[${index}]`) : [])),
      ...(secretName ? [] : missing("secretName")),
      ...(domain === "" || covered ? [] : invalidValue(domain, "domain")),
    ]),
  );
}

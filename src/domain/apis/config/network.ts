// config-network: names of hosts, schemes and certificates.
import { parseTemplate, type TemplateData } from "./goTemplate.js";
import { parseBool } from "./goText.js";
import { namespaceSelection } from "./namespaceSelection.js";
import type { NetworkConfig } from "./servingConfig.types.js";
import { oneOf, passedOver, type Reader, type Reading, readers, setting, settingsMap } from "./settings.js";

const { bool, integer, text } = readers();

const meshModes = ["auto", "enabled", "disabled"] as const;

export const networkMap = settingsMap({
  name: "config-network",
  component: "networking",
  settings: {
    ingressClass: setting(
      "ingress-class",
      "istio.ingress.networking.knative.dev",
      text,
      "Who turns Routes into what the gateway obeys.",
      "ingress.class",
    ),
    certificateClass: setting(
      "certificate-class",
      "cert-manager.certificate.networking.knative.dev",
      text,
      "Who provides certificates.",
      "certificate.class",
    ),
    domainTemplate: setting(
      "domain-template",
      "{{.Name}}.{{.Namespace}}.{{.Domain}}",
      domainTemplate,
      "How a Route's host is made; besides these three there are .Annotations and .Labels.",
      "domainTemplate",
    ),
    tagTemplate: setting(
      "tag-template",
      "{{.Tag}}-{{.Name}}",
      tagTemplate,
      "How the name of a tag's host is made.",
      "tagTemplate",
    ),
    externalTls: setting(
      "external-domain-tls",
      "Disabled",
      isEnabled,
      "Whether external hosts get certificates: Enabled or Disabled.",
      "auto-tls",
      "autoTLS",
    ),
    localTls: setting(
      "cluster-local-domain-tls",
      "Disabled",
      encryption,
      "Whether cluster-local hosts get certificates: Enabled or Disabled.",
    ),
    systemTls: setting(
      "system-internal-tls",
      "Disabled",
      encryption,
      "Whether requests are encrypted on their way inside: Enabled or Disabled.",
      { key: "internal-encryption", read: internalEncryption },
    ),
    httpProtocol: setting(
      "http-protocol",
      "Enabled",
      httpProtocol,
      "What becomes of plain HTTP where there is TLS: Enabled, Redirected or Disabled.",
      "httpProtocol",
    ),
    rollout: setting(
      "rollout-duration",
      "0",
      integer,
      "Seconds over which traffic moves to a new Revision.",
      "rolloutDuration",
    ),
    claims: setting(
      "autocreate-cluster-domain-claims",
      "false",
      bool,
      "Whether a DomainMapping claims its domain by itself.",
      "autocreateClusterDomainClaims",
    ),
    meshAddressability: setting(
      "enable-mesh-pod-addressability",
      "false",
      bool,
      "Whether pods in a mesh can be reached at their own address.",
    ),
    meshMode: setting(
      "mesh-compatibility-mode",
      "auto",
      oneOf(meshModes, passedOver(meshModes)),
      "Whether pods are reached through their Service: enabled, disabled or auto.",
    ),
    scheme: setting(
      "default-external-scheme",
      "http",
      text,
      "What the URLs of external hosts begin with.",
      "defaultExternalScheme",
    ),
    wildcards: setting(
      "namespace-wildcard-cert-selector",
      "",
      namespaceSelection,
      "As YAML: a label selector of the namespaces that get one wildcard certificate for all hosts.",
    ),
  },
  check: ({ rollout }) =>
    rollout >= 0
      ? []
      : [
          {
            keys: ["rollout-duration"],
            message: `rollout-duration must be a positive integer, but was ${rollout}`,
          },
        ],
  shape: (read): NetworkConfig => ({
    ingressClass: read.ingressClass,
    certificateClass: read.certificateClass,
    domainTemplate: read.domainTemplate,
    tagTemplate: read.tagTemplate,
    externalDomainTls: read.externalTls,
    clusterLocalDomainTls: read.localTls,
    systemInternalTls: read.systemTls,
    httpProtocol: read.httpProtocol,
    rolloutDurationSeconds: read.rollout,
    autocreateClusterDomainClaims: read.claims,
    enableMeshPodAddressability: read.meshAddressability,
    meshCompatibilityMode: read.meshMode,
    defaultExternalScheme: read.scheme,
  }),
});

function isEnabled(word: string): Reading<boolean> {
  return { value: word.toLowerCase() === "enabled" };
}

function encryption(word: string, key: string): Reading<boolean> {
  const lower = word.toLowerCase();
  if (lower === "" || lower === "disabled") return { value: false };
  if (lower === "enabled") return { value: true };
  return {
    fault: `${key} with value: ${JSON.stringify(word)} in config-network ConfigMap is not supported`,
  };
}

function internalEncryption(word: string, key: string): Reading<boolean> {
  const parsed = parseBool(word);
  return "value" in parsed ? parsed : { fault: `failed to parse ${JSON.stringify(key)}: ${parsed.because}` };
}

function httpProtocol(word: string): Reading<NetworkConfig["httpProtocol"]> {
  switch (word.toLowerCase()) {
    case "":
    case "enabled":
      return { value: "Enabled" };
    case "redirected":
      return { value: "Redirected" };
    case "disabled":
      return { value: "Disabled" };
    default:
      return { fault: `httpProtocol ${word} in config-network ConfigMap is not supported` };
  }
}

function domainTemplate(source: string, key: string): Reading<string> {
  const values = { Name: "foo", Namespace: "bar", Domain: "baz.com", Annotations: {}, Labels: {} };
  const tried = rendered("domain-template", key, source, values);
  if (typeof tried !== "string") return tried;
  const [, host = "", path = ""] = /^(?:[^/?#]*@)?([^/?#]*)(.*)$/s.exec(tried) ?? [];
  if (host.replace(/:\d*$/, "") === "") return { fault: `${key}: empty hostname` };
  if (!/^[A-Za-z0-9._~!$&'()*+,;=:-]+$/.test(host)) {
    return { fault: `${key}: invalid character in host name ${JSON.stringify(host)}` };
  }
  const seen = path.replace(/#.*$/s, "");
  return seen === "" || seen === "/" ? { value: source } : { fault: `domain template has url path: ${seen}` };
}

function tagTemplate(source: string, key: string): ReturnType<Reader<string>> {
  const tried = rendered("tag-template", key, source, { Name: "foo", Tag: "v2" });
  return typeof tried === "string" ? { value: source } : tried;
}

function rendered(
  name: string,
  key: string,
  source: string,
  values: TemplateData,
): string | { readonly fault: string } {
  const template = parseTemplate(name, source);
  const tried = "because" in template ? template : template.value.render(values);
  if ("value" in tried) return tried.value;
  // Go's words begin with the template's name, which is the key's unless it is spelled the old way.
  return { fault: key === name ? tried.because : `${key}: ${tried.because}` };
}

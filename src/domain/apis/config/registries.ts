// config-registries: how image registries are reached. Upstream leaves this to each node; here is one place for all.

import type { RegistriesConfig } from "./servingConfig.types.js";
import { type Fault, type Reader, type Reading, setting, settingsMap } from "./settings.js";
import { parseYaml } from "./yaml.js";

/** A mirror of a mirror is nobody's wish; more than these only delay the answer. */
const mostMirrors = 8;

export const registriesMap = settingsMap({
  name: "config-registries",
  component: "controller",
  settings: {
    mirrors: setting(
      "mirrors",
      "",
      mirrors,
      "As YAML: each registry with the hosts that have its content too, asked first, in this order.",
    ),
    plainHttp: setting(
      "plain-http",
      "",
      hosts,
      "Registries, between commas, that speak HTTP without TLS. Those on this machine's loopback need no mention.",
    ),
    skipTlsVerify: setting(
      "skip-tls-verify",
      "",
      hosts,
      "Registries, between commas, whose certificates are not checked.",
    ),
    caCertificates: setting(
      "ca-certificates",
      "",
      certificates,
      "Certificates, as PEM, of authorities that registries may have theirs from.",
    ),
  },
  check({ plainHttp, skipTlsVerify }) {
    const both = plainHttp.find((host) => skipTlsVerify.includes(host));
    const faults: Fault[] = [];
    if (both !== undefined) {
      faults.push({
        keys: ["plain-http", "skip-tls-verify"],
        message: `${both} is in plain-http, where there is no certificate, and in skip-tls-verify`,
      });
    }
    return faults;
  },
  shape: (read): RegistriesConfig => read,
});

function hosts(text: string, key: string): Reading<readonly string[]> {
  const value = text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  const odd = value.find((one) => !isHost(one));
  return odd === undefined ? { value } : { fault: `${key}: ${notHost(odd)}` };
}

function mirrors(text: string, key: string): ReturnType<Reader<RegistriesConfig["mirrors"]>> {
  const refused = (why: string) => ({ fault: `${key} cannot be parsed, please check the format: ${why}` });
  const parsed = parseYaml(text);
  if ("because" in parsed) return refused(parsed.because);
  const given = parsed.value ?? {};
  if (typeof given !== "object" || Array.isArray(given)) {
    return refused("expected a map from registry to a list of hosts");
  }
  const found: [string, readonly string[]][] = [];
  for (const [registry, list] of Object.entries(given)) {
    if (!isHost(registry)) return { fault: `${key}: ${notHost(registry)}` };
    if (!Array.isArray(list)) return refused(`${registry}: expected a list of hosts`);
    if (list.length > mostMirrors) return refused(`${registry}: more than ${mostMirrors} mirrors`);
    const odd = list.find((one) => typeof one !== "string" || !isHost(one));
    if (odd !== undefined) return { fault: `${key}: ${notHost(String(odd))}` };
    found.push([registry === "docker.io" ? "index.docker.io" : registry, list as readonly string[]]);
  }
  return { value: Object.fromEntries(found) };
}

function certificates(text: string, key: string): Reading<string> {
  const isPem = /-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----/.test(text);
  return text.trim() === "" || isPem ? { value: text } : { fault: `${key}: expected certificates as PEM` };
}

function isHost(text: string): boolean {
  return /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/.test(text);
}

function notHost(text: string): string {
  return `${JSON.stringify(text)} is not a registry's host, such as registry.example.com:5000`;
}

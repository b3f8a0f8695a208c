// config-domain: which Routes live under which domain. Its keys are the domains themselves.
import { exampleKey } from "./example.js";
import { labelSelection } from "./selection.js";
import type { DomainConfig } from "./servingConfig.types.js";
import type { Fault, SettingsMap } from "./settings.js";
import { parseYaml } from "./yaml.js";

/** Inside the cluster only: what Routes get until somebody names a domain. */
const clusterDomain: DomainConfig = { domain: "svc.cluster.local", selector: {} };

export const domainMap: SettingsMap<readonly DomainConfig[]> = {
  name: "config-domain",
  component: "controller",
  settings: [
    {
      key: "example.com",
      about: "A domain for every Route that no entry below fits better; with none, Routes stay inside.",
      standard: "",
    },
    {
      key: "example.org",
      about: "A domain for the Routes with these labels; the entry with the most labels wins.",
      standard: "selector:\n  app: shop\n",
    },
  ],
  known: undefined,
  read(data) {
    const domains: DomainConfig[] = [];
    const faults: Fault[] = [];
    const doubts: string[] = [];
    for (const domain of Object.keys(data).sort()) {
      if (domain === exampleKey) continue;
      const parsed = parseYaml(data[domain] ?? "");
      const selection = "because" in parsed ? parsed : labelSelection(parsed.value);
      if ("because" in selection) {
        faults.push({ keys: [domain], message: `${domain}: ${selection.because}` });
        continue;
      }
      const { selector, type } = selection.value;
      if (type !== "" && type !== "wildcard") {
        doubts.push(`${domain}: type ${JSON.stringify(type)} is not wildcard and is ignored`);
      }
      domains.push({ domain, selector });
    }
    const everything = domains.some(({ selector }) => Object.keys(selector).length === 0);
    return { value: everything ? domains : [...domains, clusterDomain], faults, doubts };
  },
};

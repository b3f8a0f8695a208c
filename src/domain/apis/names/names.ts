// Which names are names, and how the API server says that one is not (kubernetes-api.md, section 16).
import type { Kind } from "../kind.js";

interface Rule {
  readonly max: number;
  readonly pattern: RegExp;
  readonly text: string;
}

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const dns1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const qualified = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const labelValue = `(${qualified})?`;

const subdomainRule: Rule = {
  max: 253,
  // Each label is its own loop and dots divide them, so this repetition of repetitions cannot explode.
  pattern: new RegExp(`^${subdomain}$`),
  text: `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`,
};

const labelRule: Rule = {
  max: 63,
  pattern: new RegExp(`^${label}$`),
  text: `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`,
};

const dns1035Rule: Rule = {
  max: 63,
  pattern: new RegExp(`^${dns1035}$`),
  text: `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${dns1035}')`,
};

const qualifiedText = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualified}')`;
const qualifiedPattern = new RegExp(`^${qualified}$`);

const labelValueRule: Rule = {
  max: 63,
  pattern: new RegExp(`^${labelValue}$`),
  text: `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${labelValue}')`,
};

function problems(rule: Rule, text: string): readonly string[] {
  const found: string[] = [];
  if (text.length > rule.max) found.push(`must be no more than ${rule.max} characters`);
  if (!rule.pattern.test(text)) found.push(rule.text);
  return found;
}

/** Why a name does not obey a kind's rule; empty when it does. */
export function nameProblems(rule: Kind["nameRule"], name: string): readonly string[] {
  switch (rule) {
    case "subdomain":
      return problems(subdomainRule, name);
    case "label":
      return labelProblems(name);
    case "dns1035":
      return problems(dns1035Rule, name);
    case "pathSegment":
      return pathSegmentProblems(name);
  }
}

/** The same for the prefix in generateName, which may end in a dash for more will follow. */
export function namePrefixProblems(rule: Kind["nameRule"], prefix: string): readonly string[] {
  return nameProblems(
    rule,
    rule !== "pathSegment" && prefix.endsWith("-") ? `${prefix.slice(0, -1)}a` : prefix,
  );
}

/** A DNS-1123 label: names of namespaces, containers and ports of them. */
export function labelProblems(text: string): readonly string[] {
  const found = problems(labelRule, text);
  // A subdomain where a label belongs is so common that upstream names the one thing wrong.
  const dotted = !labelRule.pattern.test(text) && subdomainRule.pattern.test(text);
  return dotted
    ? found.map((problem) => (problem === labelRule.text ? "must not contain dots" : problem))
    : found;
}

function pathSegmentProblems(name: string): readonly string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return ["/", "%"].filter((char) => name.includes(char)).map((char) => `may not contain '${char}'`);
}

/** Keys of labels and annotations, and finalizers: an optional domain, a slash, a name. */
export function labelKeyProblems(key: string): readonly string[] {
  const parts = key.split("/");
  if (parts.length > 2) {
    return [
      `a qualified name ${qualifiedText} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const found: string[] = [];
  const name = parts.at(-1) ?? "";
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix === "") found.push("prefix part must be non-empty");
  else if (prefix !== undefined) {
    found.push(...problems(subdomainRule, prefix).map((problem) => `prefix part ${problem}`));
  }
  if (name === "") found.push("name part must be non-empty");
  else if (name.length > 63) found.push("name part must be no more than 63 characters");
  if (!qualifiedPattern.test(name)) found.push(`name part ${qualifiedText}`);
  return found;
}

export function labelValueProblems(value: string): readonly string[] {
  return problems(labelValueRule, value);
}

/** Keys of ConfigMap and Secret data. */
export function dataKeyProblems(key: string): readonly string[] {
  if (key.length > 253) return ["must be no more than 253 characters"];
  if (key === "." || key === "..") return [`may not be '${key}'`];
  if (key.startsWith("..")) return ["may not start with '..'"];
  if (/^[-._a-zA-Z0-9]+$/.test(key)) return [];
  return [
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
  ];
}

const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";
const suffixLength = 5;
const generatedBaseLimit = 58;

/** Five characters that spell no word. `random` answers in [0, 1). */
export function nameSuffix(random: () => number): string {
  let suffix = "";
  for (let count = 0; count < suffixLength; count++) {
    suffix += suffixAlphabet[Math.floor(random() * suffixAlphabet.length)];
  }
  return suffix;
}

/** A name from a generateName base. */
export function generatedName(base: string, random: () => number): string {
  return base.slice(0, generatedBaseLimit) + nameSuffix(random);
}

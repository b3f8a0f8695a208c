/** By which names a Route is reached (knative-serving.md, section 4.3, Domains). */
import { parseTemplate, type TemplateData } from "../apis/config/goTemplate.js";
import type { DomainConfig } from "../apis/config/index.js";
import { nameProblems } from "../apis/names/index.js";

/** What hosts end in that only the inside can reach. */
export const localDomain = "svc.cluster.local";

export type Rendered = { readonly text: string } | { readonly because: string };

type Texts = { readonly [key: string]: string } | undefined;

/** The entry of config-domain whose selector says most about these labels; among equals the first by name. */
export function chooseDomain(domains: readonly DomainConfig[], labels: Texts): string {
  const fitting = domains.filter(({ selector }) =>
    Object.entries(selector).every(([key, value]) => labels?.[key] === value),
  );
  const [best] = fitting.toSorted(
    (a, b) =>
      Object.keys(b.selector).length - Object.keys(a.selector).length || (a.domain < b.domain ? -1 : 1),
  );
  return best?.domain ?? localDomain;
}

export interface Named {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Texts;
  readonly annotations: Texts;
}

/** `stable-cat`: what a tag's host and placeholder Service are called. */
export function renderTag(
  template: string,
  tag: string,
  { name, namespace, labels, annotations }: Named,
): Rendered {
  const rendered = render("tag-template", template, {
    Name: name,
    Namespace: namespace,
    Tag: tag,
    Labels: labels ?? {},
    Annotations: annotations ?? {},
  });
  if ("because" in rendered) return { because: `error executing the TagTemplate: ${rendered.because}` };
  // It names a Service too.
  const [problem] = nameProblems("dns1035", rendered.text);
  return problem === undefined
    ? rendered
    : { because: `tag name error: invalid name "${rendered.text}": ${problem}` };
}

/** `cat.default.example.com`, checked. */
export function renderHost(template: string, domain: string, named: Named): Rendered {
  const rendered = render("domain-template", template, {
    Name: named.name,
    Namespace: named.namespace,
    Domain: domain,
    Labels: named.labels ?? {},
    Annotations: named.annotations ?? {},
  });
  if ("because" in rendered) return { because: `error executing the DomainTemplate: ${rendered.because}` };
  const problem = hostProblem(rendered.text);
  return problem === undefined
    ? rendered
    : { because: `domain name error: invalid domain name "${rendered.text}": ${problem}` };
}

function render(name: string, template: string, data: TemplateData): Rendered {
  const parsed = parseTemplate(name, template);
  if ("because" in parsed) return parsed;
  const shown = parsed.value.render(data);
  return "because" in shown ? shown : { text: shown.value };
}

/** Why a text is not a fully qualified domain name. */
function hostProblem(text: string): string | undefined {
  const [whole] = nameProblems("subdomain", text);
  if (whole !== undefined) return `url: Invalid value: "${text}": ${whole}`;
  const labels = text.split(".");
  if (labels.length < 2)
    return `url: Invalid value: "${text}": should be a domain with at least two segments separated by dots`;
  for (const label of labels) {
    const [problem] = nameProblems("label", label);
    if (problem !== undefined) return `url: Invalid value: "${label}": ${problem}`;
  }
  return undefined;
}

import { describe, expect, it } from "vitest";
import { chooseDomain, renderHost, renderTag } from "./hosts.js";

const cat = {
  name: "cat",
  namespace: "pets",
  labels: { app: "prod" },
  annotations: { sub: "mew" },
};

describe("a domain", () => {
  const domains = [
    { domain: "svc.cluster.local", selector: {} },
    { domain: "b.example.com", selector: { app: "prod" } },
    { domain: "a.example.com", selector: { app: "prod" } },
    { domain: "tight.example.com", selector: { app: "prod", tier: "gold" } },
  ];

  it.each([
    ["whose selector asks most", { app: "prod", tier: "gold" }, "tight.example.com"],
    ["first by name among equals", { app: "prod" }, "a.example.com"],
    ["without a selector for everybody else", {}, "svc.cluster.local"],
  ])("is the one %s", (_why, labels, want) => {
    expect(chooseDomain(domains, labels)).toBe(want);
  });
});

describe("a host", () => {
  it.each([
    ["{{.Name}}.{{.Namespace}}.{{.Domain}}", "cat.pets.example.com"],
    ['{{.Name}}-{{index .Annotations "sub"}}.{{.Domain}}', "cat-mew.example.com"],
    ['{{if eq (index .Labels "app") "prod"}}{{.Name}}{{else}}x{{end}}.{{.Domain}}', "cat.example.com"],
  ])("is what the template says: %s", (template, want) => {
    expect(renderHost(template, "example.com", cat)).toEqual({ text: want });
  });

  it.each([
    ["{{.Name}}", /^domain name error: invalid domain name "cat": .*at least two segments/],
    ["{{.Name}}_x.{{.Domain}}", /^domain name error: invalid domain name "cat_x.example.com": /],
    [`${"a".repeat(64)}.{{.Domain}}`, /no more than 63 characters/],
    ["{{.Nobody}}.{{.Domain}}", /^error executing the DomainTemplate: .*Nobody/],
    ["{{range .Labels}}{{end}}", /^error executing the DomainTemplate: /],
  ])("is refused in words: %s", (template, want) => {
    expect(renderHost(template, "example.com", cat)).toEqual({ because: expect.stringMatching(want) });
  });

  it("of a tag is called as the tag's template says", () => {
    expect(renderTag("{{.Tag}}-{{.Name}}", "next", cat)).toEqual({ text: "next-cat" });
    expect(renderTag("{{.Name}}.{{.Tag}}", "next", cat)).toEqual({
      because: expect.stringMatching(/^tag name error: invalid name "cat.next": /),
    });
  });
});

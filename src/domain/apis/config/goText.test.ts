import { describe, expect, it } from "vitest";
import { parseTemplate, Struct, type TemplateData } from "./goTemplate.js";
import { durationText, floatText, parseDuration } from "./goText.js";
import { parseYaml, type Yaml } from "./yaml.js";

describe("durations", () => {
  it.each<[string, bigint, string]>([
    ["0", 0n, "0s"],
    ["1h", 3_600_000_000_000n, "1h0m0s"],
    ["1h2m3.5s", 3_723_500_000_000n, "1h2m3.5s"],
    ["90s", 90_000_000_000n, "1m30s"],
    ["1.5ms", 1_500_000n, "1.5ms"],
    ["2us", 2_000n, "2\u00b5s"],
    ["2\u03bcs", 2_000n, "2\u00b5s"],
    ["7ns", 7n, "7ns"],
    ["-.5s", -500_000_000n, "-500ms"],
    ["+1.s", 1_000_000_000n, "1s"],
  ])("%s", (text, value, back) => {
    expect(parseDuration(text)).toEqual({ value });
    expect(durationText(value)).toBe(back);
  });

  it.each([
    ["", 'time: invalid duration ""'],
    ["s", 'time: invalid duration "s"'],
    ["3", 'time: missing unit in duration "3"'],
    ["3.4.5s", 'time: missing unit in duration "3.4.5s"'],
    ["3d", 'time: unknown unit "d" in duration "3d"'],
    ["9999999h", 'time: invalid duration "9999999h"'],
  ])("%s is none", (text, because) => {
    expect(parseDuration(text)).toEqual({ because });
  });
});

it.each([
  [0.7, "0.7"],
  [100, "100"],
  [0.00005, "5e-05"],
  [1e21, "1e+21"],
])("the float %s", (value, text) => {
  expect(floatText(value)).toBe(text);
});

describe("templates", () => {
  const data: TemplateData = {
    Name: "iris",
    Domain: "example.com",
    Labels: { team: "a" },
    Annotations: {},
    Request: new Struct("*http.Request", {
      Path: "/a'b<\u2028",
      Size: 12,
      Took: 0.25,
      Short: 0.00005,
      Header: { Get: { takes: 1, call: (name = "") => (name === "X-User" ? "ada & co" : "") } },
    }),
  };

  it.each([
    ["{{.Name}}.{{ .Domain }}", "iris.example.com"],
    ['{{ index .Labels "team" }}{{ .Labels.none }}', "a"],
    ["a {{- /* nothing */ -}} b", "ab"],
    ['{{if eq .Name "iris"}}yes{{else}}no{{end}}', "yes"],
    ['{{if .Annotations}}x{{else if and .Labels (ne .Name "y")}}y{{else}}z{{end}}', "y"],
    ["{{with .Labels}}{{.team}}{{end}}", "a"],
    ['{{printf "%s-%d%%" .Name 3}}', "iris-3%"],
    ['{{.Name | printf "%q"}}', '"iris"'],
    ["{{not true}} {{len .Name}} {{lt 1 2}}", "false 4 true"],
    ['{{`a"}`}}{{"}}"}}', 'a"}}}'],
    ["{{js .Request.Path}}", "/a\\'b\\u003C\\u2028"],
    ["{{.Request.Path | html | printf `<%s>`}}", "</a&#39;b&lt;\u2028>"],
    ['{{.Request.Header.Get "X-User"}}', "ada & co"],
    ['{{"X-User" | .Request.Header.Get | urlquery}}', "ada+%26+co"],
    ['{{if .Request.Header.Get "X-Nobody"}}x{{else}}y{{end}}', "y"],
    ["{{with .Request}}{{.Size}} {{.Took}} {{.Short}}{{end}}", "12 0.25 5e-05"],
    ['{{printf "%.3f|%6.2f|%-4d|%04d" .Request.Took .Request.Took 7 -7}}', "0.250|  0.25|7   |-007"],
    ['{{printf "%d %s %t %z" "x" 1 true}}', "%!d(string=x) %!s(int=1) true %!z(MISSING)"],
    ['{{printf "a" 1 "b"}}', "a%!(EXTRA int=1, string=b)"],
    ["{{gt .Request.Took 0.1}}", "true"],
  ])("%s", (source, value) => {
    const template = parseTemplate("t", source);
    expect("value" in template ? template.value.render(data) : template).toEqual({ value });
  });

  it.each([
    ["a\n{{.Name", "template: t:2: unclosed action"],
    ["{{}}", "template: t:1: missing value for command"],
    ["{{nope}}", 'template: t:1: function "nope" not defined'],
    ["{{.Name $}}", 'template: t:1: unexpected "$" in operand'],
    ["{{(.Name}}", "template: t:1: unclosed left paren"],
    ["{{if .Name}}", "template: t:1: unexpected EOF"],
    ["{{else}}", "template: t:1: unexpected {{else}}"],
    ["{{range .Labels}}{{end}}", "template: t:1: {{range}} is not supported here"],
    ['{{"a" "b"}}', "template: t:1: can't give argument to non-function"],
    ["x".repeat(20_000), "template: t: longer than 16384 characters"],
  ])("%j is refused in words", (source, because) => {
    expect(parseTemplate("t", source)).toEqual({ because });
  });
});

describe("YAML", () => {
  it.each<[string, Yaml]>([
    ["", null],
    ["# only a comment", null],
    ["selector:\n  app: nginx # web\n  'b c': \"x: y\"\n", { selector: { app: "nginx", "b c": "x: y" } }],
    ["a: {b: c, d: [1, true, 'x']}", { a: { b: "c", d: [1, true, "x"] } }],
    ["a:\n- b\n- c: 1\n  d: ~\n-\n  - e\n", { a: ["b", { c: 1, d: null }, ["e"]] }],
    ["app.kubernetes.io/name: http://x#y", { "app.kubernetes.io/name": "http://x#y" }],
    ['{"selector":{"a":"b"}}', { selector: { a: "b" } }],
    ["type: wildcard\r\n", { type: "wildcard" }],
  ])("%j", (source, value) => {
    expect(parseYaml(source)).toEqual({ value });
  });

  it.each([
    ["a: b\n   c: d", "line 2: could not find expected ':'"],
    ["a: &x b", "line 1: anchors, tags and block texts are not supported here"],
    ["a: |\n  b", "line 1: anchors, tags and block texts are not supported here"],
    ["a: 1\na: 2", 'line 2: key "a" already set in map'],
    ["a: {b: c", "line 1: did not find expected ',' or closing bracket"],
    ["a: b: c", "line 1: mapping values are not allowed in this context"],
    ['a: "b', "line 1: a quoted text that is not closed, or an escape that is not known"],
  ])("%j is refused in words", (source, because) => {
    expect(parseYaml(source)).toEqual({ because });
  });
});

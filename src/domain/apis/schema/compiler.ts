// What validation and defaulting derive from a schema, derived once: whoever owns the schemas owns this.

import { compileRule, type RuleProgram, ruleEnvironment } from "./cel.js";
import { compilePattern, type Pattern } from "./pattern.js";
import type { Rule, SchemaNode } from "./schema.js";

export interface SchemaCompiler {
  /** undefined for a pattern we refuse or cannot read: it is then not checked. */
  pattern(text: string): Pattern | undefined;
  rule(node: SchemaNode, rule: Rule): RuleProgram;
  /** Whether this node or anything beneath it has CEL rules. */
  hasRules(node: SchemaNode): boolean;
  /** Whether this node or anything beneath it has a default. */
  hasDefaults(node: SchemaNode): boolean;
}

export function schemaCompiler(): SchemaCompiler {
  const patterns = new Map<string, Pattern | undefined>();
  const rules = new WeakMap<Rule, RuleProgram>();
  let environment: ReturnType<typeof ruleEnvironment> | undefined;

  return {
    pattern(text) {
      if (!patterns.has(text)) patterns.set(text, compilePattern(text));
      return patterns.get(text);
    },
    rule(node, rule) {
      environment ??= ruleEnvironment();
      const program = rules.get(rule) ?? compileRule(environment, node, rule);
      rules.set(rule, program);
      return program;
    },
    hasRules: somewhere((node) => (node["x-kubernetes-validations"]?.length ?? 0) > 0),
    hasDefaults: somewhere((node) => node.default !== undefined),
  };
}

/** A question about a node or any node beneath it, answered once per node. */
function somewhere(test: (node: SchemaNode) => boolean): (node: SchemaNode) => boolean {
  const answers = new WeakMap<SchemaNode, boolean>();
  const ask = (node: SchemaNode): boolean => {
    const known = answers.get(node);
    if (known !== undefined) return known;
    const answer = test(node) || beneath(node).some(ask);
    answers.set(node, answer);
    return answer;
  };
  return ask;
}

function beneath(node: SchemaNode): readonly SchemaNode[] {
  const nodes: SchemaNode[] = Object.values(node.properties ?? {});
  if (node.items !== undefined) nodes.push(node.items);
  if (node.additionalProperties !== undefined) nodes.push(node.additionalProperties);
  return nodes;
}

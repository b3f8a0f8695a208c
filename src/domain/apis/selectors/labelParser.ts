// The grammar of label selectors: k, !k, k=v, k==v, k!=v, k in (a,b), k notin (a,b), k>1, k<1, joined by commas.
import { labelKeyProblems, labelValueProblems } from "../names/index.js";

export interface Requirement {
  readonly key: string;
  readonly operator: "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | ">" | "<";
  readonly values: readonly string[];
}

interface Token {
  readonly is: "word" | "symbol" | "end";
  readonly text: string;
}

/** Sorted by key, or what is wrong with the text. */
export function parseRequirements(text: string): readonly Requirement[] | string {
  const parser = new Parser(tokensOf(text));
  try {
    return parser.selector().sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  } catch (problem) {
    if (problem instanceof Unparsable) return problem.message;
    throw problem;
  }
}

/** Leaves the parser in one jump; never leaves this file. */
class Unparsable extends Error {}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(/\s+|==|!=|[=!(),<>]|[^\s=!(),<>]+/g)) {
    const token = match[0];
    if (/^\s/.test(token)) continue;
    tokens.push({ is: /^[=!(),<>]/.test(token) ? "symbol" : "word", text: token });
  }
  return tokens;
}

const end: Token = { is: "end", text: "" };
const binaryOperators = "in, notin, =, ==, !=, gt, lt";

class Parser {
  private position = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  selector(): Requirement[] {
    const requirements: Requirement[] = [];
    while (this.peek().is !== "end") {
      if (!this.atRequirement()) {
        throw new Unparsable(`found '${this.peek().text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.wrapped());
      const next = this.take();
      if (next.is === "end") break;
      if (next.text !== ",") throw new Unparsable(`found '${next.text}', expected: ',' or 'end of string'`);
      if (!this.atRequirement()) {
        throw new Unparsable(`found '${this.peek().text}', expected: identifier after ','`);
      }
    }
    return requirements;
  }

  private wrapped(): Requirement {
    try {
      return this.requirement();
    } catch (problem) {
      if (problem instanceof Unparsable)
        throw new Unparsable(`unable to parse requirement: ${problem.message}`);
      throw problem;
    }
  }

  private requirement(): Requirement {
    const negated = this.peek().text === "!";
    if (negated) this.take();
    const { is, text: key } = this.take();
    if (is !== "word") throw new Unparsable(`found '${key}', expected: identifier`);
    const problems = labelKeyProblems(key);
    if (problems.length > 0) {
      throw new Unparsable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problems.join("; ")}`);
    }
    const { is: next, text } = this.peek();
    if (negated) return { key, operator: "!", values: [] };
    if (next === "end" || text === ",") return { key, operator: "exists", values: [] };
    const operator = this.operator();
    const values = operator === "in" || operator === "notin" ? this.list() : [this.exactValue()];
    return checked({ key, operator, values });
  }

  private operator(): Requirement["operator"] {
    const { text } = this.take();
    switch (text) {
      case "=":
      case "==":
      case "!=":
      case "in":
      case "notin":
      case ">":
      case "<":
        return text;
      default:
        throw new Unparsable(`found '${text}', expected: ${binaryOperators}`);
    }
  }

  private exactValue(): string {
    const next = this.peek();
    if (next.is === "end" || next.text === ",") return "";
    this.take();
    if (next.is !== "word") throw new Unparsable(`found '${next.text}', expected: identifier`);
    return next.text;
  }

  /** (a,b), where nothing between commas means the empty value. */
  private list(): readonly string[] {
    const open = this.take();
    if (open.text !== "(") throw new Unparsable(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    for (;;) {
      const token = this.take();
      if (token.text === ")" || token.text === ",") values.add("");
      else if (token.is === "word") values.add(token.text);
      else throw new Unparsable(`found '${token.text}', expected: ',', ')' or identifier`);
      if (token.text === ")") break;
      if (token.text === ",") continue;
      const after = this.take();
      if (after.text === ")") break;
      if (after.text !== ",") throw new Unparsable(`found '${after.text}', expected: ',' or ')'`);
    }
    return [...values].sort();
  }

  private atRequirement(): boolean {
    return this.peek().is === "word" || this.peek().text === "!";
  }

  private peek(): Token {
    return this.tokens[this.position] ?? end;
  }

  private take(): Token {
    const token = this.peek();
    this.position++;
    return token;
  }
}

function checked(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement;
  for (const [index, value] of values.entries()) {
    if ((operator === ">" || operator === "<") && !/^[+-]?\d+$/.test(value)) {
      throw new Unparsable(
        `values[${index}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      );
    }
    const problems = labelValueProblems(value);
    if (problems.length > 0) {
      throw new Unparsable(
        `values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${problems.join("; ")}`,
      );
    }
  }
  return requirement;
}

// YAML as Go's reader takes it: version 1.1, with timestamps and the like left as text, and within the bounds of all bodies.
import type { CST } from "yaml";
import { troubleIn } from "../bounds.js";
import { limits } from "../limits.js";

export type YamlRead =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly because: string };

export async function readYaml(text: string): Promise<YamlRead> {
  const { Composer, Lexer, Parser } = await import("yaml");
  try {
    const parser = new Parser();
    const tokens: CST.Token[] = [];
    for (const lexeme of new Lexer().lex(text)) {
      tokens.push(...parser.next(lexeme));
      // Asked before the tokens are composed: what nests without end would exhaust the stack, and with it the process.
      if (parser.stack.length > limits.bodyDepth) return no("exceeded max depth");
    }
    tokens.push(...parser.end());
    // kubectl reads YAML 1.1, where `yes` is a boolean; what it prints back must mean the same here.
    const composer = new Composer({
      version: "1.1",
      uniqueKeys: false,
      merge: true,
      customTags: withoutFancy,
    });
    const [document, ...more] = composer.compose(tokens, true, text.length);
    if (document === undefined) return { ok: true, value: null };
    const [problem] = document.errors;
    if (problem !== undefined) return no(problem.message);
    if (more.length > 0) return no("a body is one document");
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    const trouble = troubleIn(value);
    return trouble === undefined ? { ok: true, value } : no(trouble);
  } catch (error) {
    // An alias of nothing, or aliases that multiply.
    return no(error instanceof Error ? error.message : String(error));
  }
}

function no(because: string): YamlRead {
  return { ok: false, because: because.split("\n")[0] ?? "" };
}

/** Times, sets, raw bytes and numbers with colons in them: JSON has none of these. */
const fancy = /:(timestamp|binary|set|omap|pairs)$/;

type Tags = readonly (string | { readonly tag: string; readonly format?: string })[];

function withoutFancy<T extends Tags>(tags: T): T {
  const kept = tags.filter(
    (one) => typeof one === "string" || (!fancy.test(one.tag) && one.format !== "TIME"),
  );
  return kept as unknown as T;
}

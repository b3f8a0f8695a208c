// How Go's templates write a value: `print`, and the verbs of `printf` that templates use.
import { floatText } from "./goText.js";
import { isMethod, Struct, type TemplateValue } from "./goValue.js";

export function printed(value: TemplateValue): string {
  if (typeof value === "number") return floatText(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof Struct)
    return `{${values(value.fields)
      .map(([, one]) => one)
      .join(" ")}}`;
  return `map[${values(value)
    .map(([key, one]) => `${key}:${one}`)
    .sort()
    .join(" ")}]`;
}

function values(fields: Struct["fields"]): readonly (readonly [string, string])[] {
  return Object.entries(fields).flatMap(([key, one]) =>
    isMethod(one) ? [] : [[key, printed(one)] as const],
  );
}

/** Go's name for the type of a value that is no structure. */
export function typeName(value: TemplateValue): string {
  if (value instanceof Struct) return value.type;
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  return typeof value === "string" ? "string" : "map[string]string";
}

/** A width or a precision past this is a mistake, and would cost memory. */
const widest = 1_000;

export function formatted(format: string, given: readonly TemplateValue[]): string {
  let next = 0;
  const text = format.replace(
    /%([-0+]*)(\d*)(?:\.(\d*))?([A-Za-z%]?)/g,
    (whole, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (verb === "") return "%!(NOVERB)";
      const value = given[next++];
      if (value === undefined) return `%!${verb}(MISSING)`;
      if (Number(width) > widest || Number(precision ?? 0) > widest) return `%!${verb}(BADWIDTH)${whole}`;
      return padded(verbed(verb, value, precision, flags.includes("+")), flags, Number(width), value);
    },
  );
  const extra = given.slice(next).map((one) => `${typeName(one)}=${printed(one)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(", ")})`;
}

function verbed(verb: string, value: TemplateValue, precision: string | undefined, plus: boolean): string {
  const bad = `%!${verb}(${typeName(value)}=${printed(value)})`;
  const cut = (text: string) =>
    precision === undefined ? text : [...text].slice(0, Number(precision)).join("");
  const sign = plus && typeof value === "number" && value >= 0 ? "+" : "";
  switch (verb) {
    case "v":
      return sign + printed(value);
    case "s":
      return typeof value === "number" || typeof value === "boolean" ? bad : cut(printed(value));
    case "q":
      return typeof value === "string" ? JSON.stringify(cut(value)) : bad;
    case "d":
      return typeof value === "number" && Number.isInteger(value) ? sign + String(value) : bad;
    case "t":
      return typeof value === "boolean" ? String(value) : bad;
    case "f":
      // A figure that happens to be whole may still be one with a fraction: Go would know, JavaScript does not.
      return typeof value === "number" ? sign + value.toFixed(Math.min(Number(precision ?? 6), 100)) : bad;
    default:
      return bad;
  }
}

function padded(text: string, flags: string, width: number, value: TemplateValue): string {
  if (flags.includes("-")) return text.padEnd(width);
  if (!flags.includes("0") || typeof value !== "number") return text.padStart(width);
  const sign = /^[-+]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}

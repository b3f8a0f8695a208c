// What Go's templates work on.

/** What a template may look into: texts, figures, and maps of such by name. */
export interface TemplateData {
  readonly [field: string]: TemplateValue | TemplateMethod;
}

export type TemplateValue = string | number | boolean | TemplateData | Struct;

/** Called with texts; a template that gives another number of them fails as it does in Go. */
export interface TemplateMethod {
  readonly takes: number;
  readonly call: (...given: readonly string[]) => TemplateValue;
}

/** Unlike a map it knows all its fields, and asking for another is a mistake. */
export class Struct {
  constructor(
    readonly type: string,
    readonly fields: TemplateData,
  ) {}
}

export function isMethod(value: TemplateValue | TemplateMethod): value is TemplateMethod {
  return typeof value === "object" && !(value instanceof Struct) && typeof value["call"] === "function";
}

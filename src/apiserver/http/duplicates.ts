// Finds fields that a JSON text holds twice. JSON.parse keeps the last and says nothing; strict clients want to hear.

/** Paths such as `data.a` and `spec.items[0].q`. The text is known to be well-formed. */
export function duplicateFields(text: string): readonly string[] {
  const found: string[] = [];
  let at = 0;

  const space = () => {
    while (at < text.length && text.charCodeAt(at) <= 32) at++;
  };
  // A search is many times faster than a step for every character, and most of a body is strings.
  const skipString = () => {
    do at = text.indexOf('"', at + 1);
    while (isEscaped(text, at));
    at++;
  };
  const string = (): string => {
    const start = at;
    skipString();
    const quoted = text.slice(start, at);
    return quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  };
  const value = (path: string): void => {
    space();
    const first = text[at];
    if (first === "{") object(path);
    else if (first === "[") list(path);
    else if (first === '"') skipString();
    else while (at < text.length && !",]}".includes(text[at] as string)) at++;
  };
  const object = (path: string): void => {
    const seen = new Set<string>();
    at++;
    space();
    while (text[at] !== "}") {
      const name = string();
      const here = path === "" ? name : `${path}.${name}`;
      if (seen.has(name)) found.push(here);
      seen.add(name);
      space();
      at++;
      value(here);
      space();
      if (text[at] === ",") at++;
      space();
    }
    at++;
  };
  const list = (path: string): void => {
    at++;
    space();
    for (let i = 0; text[at] !== "]"; i++) {
      value(`${path}[${i}]`);
      space();
      if (text[at] === ",") at++;
      space();
    }
    at++;
  };

  value("");
  return found;
}

/** A quote after an odd number of backslashes is part of its string. */
function isEscaped(text: string, quote: number): boolean {
  let first = quote;
  while (text[first - 1] === "\\") first--;
  return (quote - first) % 2 === 1;
}

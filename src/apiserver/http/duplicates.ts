// Finds fields that a JSON text holds twice. JSON.parse keeps the last and says nothing; strict clients want to hear.

/** Paths such as `data.a` and `spec.items[0].q`. The text is known to be well-formed. */
export function duplicateFields(text: string): readonly string[] {
  const found: string[] = [];
  let at = 0;

  const space = () => {
    while (at < text.length && text.charCodeAt(at) <= 32) at++;
  };
  const string = (): string => {
    const start = at++;
    let escaped = false;
    while (text[at] !== '"') {
      if (text[at] === "\\") {
        escaped = true;
        at++;
      }
      at++;
    }
    at++;
    return escaped ? (JSON.parse(text.slice(start, at)) as string) : text.slice(start + 1, at - 1);
  };
  const value = (path: string): void => {
    space();
    const first = text[at];
    if (first === "{") object(path);
    else if (first === "[") list(path);
    else if (first === '"') string();
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

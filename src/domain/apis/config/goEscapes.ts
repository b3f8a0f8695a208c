// What `js`, `html` and `urlquery` make of a text in Go's templates, character for character.

const named: { readonly [character: string]: string } = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
};

const inHtml: { readonly [character: string]: string } = {
  "\0": "\uFFFD",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

export const escapes = {
  js: (text: string) => text.replace(/(?! )[\\'"<>&=\p{C}\p{Z}]/gu, (one) => named[one] ?? codes(one)),
  html: (text: string) => text.replace(/[\0"'&<>]/g, (one) => inHtml[one] ?? one),
  urlquery: (text: string) =>
    encodeURIComponent(text.replace(/\p{Cs}/gu, "\uFFFD"))
      .replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll("%20", "+"),
};

/** Each half of a pair by itself, as JavaScript reads it. */
function codes(character: string): string {
  return character
    .split("")
    .map((half) => `\\u${half.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`)
    .join("");
}

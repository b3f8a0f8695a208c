// Byte streams that a hostile or broken client might send, made from a seed: clean requests first, then bent in the
// ways that have split one parser from another, then torn at random.

export interface Case {
  readonly bytes: Buffer;
  /** Where the stream is cut into writes. */
  readonly cuts: readonly number[];
  /** The client hangs up instead of waiting. */
  readonly hangsUp: boolean;
}

/** Asked last on the same connection: whoever lost count of the bytes does not see it as it is. */
export const lastPath = "/last-of-all";
const last = `GET ${lastPath} HTTP/1.1\r\nHost: model.test\r\nConnection: close\r\n\r\n`;

type Dice = () => number;

/** Mulberry32: a small generator whose whole state is one number. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The same seed and number make the same case, so one can be run alone. */
export function makeCase(seed: number, number: number): Case {
  const dice = diceOf(Math.imul(seed, 0x9e3779b1) + number);
  const count = 1 + Math.floor(dice() * 3);
  let text = "";
  for (let index = 0; index < count; index += 1) text += request(dice, index);
  if (dice() < 0.9) text += last;
  if (dice() < 0.25) text = torn(dice, text);
  const bytes = Buffer.from(text, "latin1");
  return { bytes, cuts: cuts(dice, bytes.length), hangsUp: dice() < 0.1 };
}

function pick<T>(dice: Dice, list: readonly T[]): T {
  return list[Math.floor(dice() * list.length)] as T;
}

function cuts(dice: Dice, length: number): number[] {
  const many = pick(dice, [0, 0, 0, 1, 2, 5]);
  return Array.from({ length: many }, () => Math.floor(dice() * length)).sort((one, other) => one - other);
}

function request(dice: Dice, index: number): string {
  const odd = dice() < 0.6;
  const bend = (share: number) => odd && dice() < share;
  const method = bend(0.1)
    ? pick(dice, [
        "get",
        "Get",
        "FOO",
        "PRI",
        "GET\t",
        " GET",
        "POST ",
        "",
        "CONNECT",
        "G\0T",
        "M-SEARCH",
        "BREW",
      ])
    : pick(dice, ["GET", "POST", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"]);
  const target = bend(0.15) ? pick(dice, targets) : `/r${index}${pick(dice, ["", "?a=b", "/x/y", "/%20"])}`;
  const version = bend(0.1) ? pick(dice, versions) : dice() < 0.92 ? "HTTP/1.1" : "HTTP/1.0";
  const fields = bend(0.05) ? [] : ["Host: model.test"];
  if (bend(0.2)) fields.push(pick(dice, oddFields));
  if (bend(0.1)) fields.push(pick(dice, oddFields));
  if (dice() < 0.5) fields.push(pick(dice, plainFields));
  const { framing, body } = bodyOf(dice, bend);
  const at = Math.floor(dice() * (fields.length + 1));
  fields.splice(at, 0, ...framing);
  if (bend(0.02)) fields.push(`X-Long: ${"a".repeat(pick(dice, [8_000, 31_000, 40_000]))}`);
  if (bend(0.02)) for (let more = 0; more < 500; more += 1) fields.push(`x${more}: y`);
  const lineEnd = bend(0.05) ? pick(dice, ["\n", "\r", "\r\r\n", "\n\r", " \r\n", "\0\r\n"]) : "\r\n";
  const before = bend(0.06) ? pick(dice, ["\r\n", "\r\n\r\n", "\n", "\r", " ", "\0", "\t\r\n"]) : "";
  const space = bend(0.04) ? pick(dice, ["  ", "\t", "\v", ""]) : " ";
  const end = bend(0.05) ? pick(dice, ["\n", "\r\n \r\n", "\r\n\t", "\n\n", "\r\r\n"]) : "\r\n";
  return `${before}${method}${space}${target} ${version}${lineEnd}${fields.join(lineEnd)}${fields.length > 0 ? lineEnd : ""}${end}${body}`;
}

const targets = [
  "*",
  "/a b",
  "/a\tb",
  "/a\0b",
  "/caf\xe9",
  "/#part",
  "/a#b?c",
  "http://model.test/abs",
  "http://model.test",
  "HTTP://model.test?q",
  "https://model.test:8080/x",
  "http://a@model.test/x",
  "ftp://model.test/",
  "model.test:80",
  "relative",
  "",
  "/../up",
  "/a/%2e%2E/b",
  "/a\\..\\b",
  "//double",
  "/\x7f",
  `/${"l".repeat(9_000)}`,
];

const versions = [
  "HTTP/1.2",
  "HTTP/2.0",
  "HTTP/0.9",
  "HTTP/1.",
  "HTTP/1.11",
  "http/1.1",
  "HTTP/ 1.1",
  "HTTP/1.1 ",
  "",
  "ICE/1.0",
  "HTTP/1,1",
];

const plainFields = [
  "Accept: */*",
  "Connection: keep-alive",
  "Connection: close",
  "Content-Type: application/json",
  "X-Empty:",
  "X-Tight:a",
  "X-Wide: \t a \t ",
  "Cookie: a=b; c=d",
  "User-Agent: fuzz",
];

const oddFields = [
  "Host: other.test",
  "host:",
  "Host: a b",
  "Host: a/b",
  "X : space",
  "X\t: tab",
  " X: leading",
  "\tX: leading",
  ": nameless",
  "NoColon",
  "X: a\r\n folded",
  "X: a\r\n\tfolded",
  "X: a\0b",
  "X: a\x01b",
  "X: a\x7fb",
  "X: a\rb",
  "X: a\nY: b",
  "X\xe9: name",
  "X: caf\xe9",
  "X(y): name",
  "X@: name",
  "Connection: close, keep-alive",
  "Connection: upgrade",
  "Connection: Upgrade\r\nUpgrade: websocket",
  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
  "Connection: content-length",
  "Connection: transfer-encoding",
  "Connection: host",
  "Expect: 100-continue",
  "Expect: something",
  "Content-Length: 0",
  "Content-Length: 7",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: \x0bchunked",
  "Transfer-Encoding: chunked\x0b",
  "Transfer_Encoding: chunked",
  "Transfer-Encoding:\r\n chunked",
  "Transfer-Encoding\r\n: chunked",
  "TRANSFER-ENCODING: CHUNKED",
  "TE: trailers",
  "Keep-Alive: timeout=5",
  "Proxy-Connection: close",
];

function bodyOf(dice: Dice, bend: (share: number) => boolean): { framing: string[]; body: string } {
  const kind = pick(dice, ["none", "length", "chunked"]);
  const text = "b".repeat(Math.floor(dice() * pick(dice, [5, 60, 20_000])));
  if (kind === "none") return { framing: [], body: bend(0.05) ? text : "" };
  if (kind === "length") {
    const length = bend(0.2) ? pick(dice, lengths(text.length)) : String(text.length);
    const framing = [`${bend(0.1) ? "content-length" : "Content-Length"}: ${length}`];
    if (bend(0.05)) framing.push(`Content-Length: ${pick(dice, [text.length, text.length + 1, 0])}`);
    if (bend(0.05)) framing.push("Transfer-Encoding: chunked");
    return { framing, body: text };
  }
  const encoding = bend(0.15) ? pick(dice, encodings) : "chunked";
  const framing = [`Transfer-Encoding: ${encoding}`];
  if (bend(0.05)) framing.push(`Content-Length: ${text.length}`);
  if (bend(0.03)) framing.push("Transfer-Encoding: chunked");
  return { framing, body: chunks(dice, bend, text) };
}

const lengths = (length: number) => [
  `+${length}`,
  `-${length}`,
  `0x${length.toString(16)}`,
  `${length}, ${length}`,
  `${length},`,
  `0${length}`,
  `${length} `,
  `\t${length}`,
  `${length}\v`,
  `${length}.0`,
  `${length}e0`,
  "",
  "999999999999999999999",
  "18446744073709551617",
  String(length + 3),
  String(Math.max(0, length - 3)),
];

const encodings = [
  "Chunked",
  "CHUNKED",
  "chunked ",
  "\tchunked",
  "gzip, chunked",
  "chunked, gzip",
  "chunked, chunked",
  "chunked;q=1",
  "xchunked",
  "chunke",
  "identity",
  "",
  "chunked,",
  ",chunked",
  '"chunked"',
  "chunked\0",
];

function chunks(dice: Dice, bend: (share: number) => boolean, text: string): string {
  let body = "";
  for (let at = 0; at < text.length; ) {
    const size = Math.min(text.length - at, 1 + Math.floor(dice() * 5_000));
    const said = bend(0.06) ? pick(dice, sizes(size)) : size.toString(16);
    const extension = bend(0.06) ? pick(dice, extensions) : "";
    const end = bend(0.03) ? pick(dice, ["\n", "\r", "", "\r\r\n", " \r\n"]) : "\r\n";
    const after = bend(0.03) ? pick(dice, ["\n", "\r", "", "x\r\n", "\r\n\r\n"]) : "\r\n";
    body += `${said}${extension}${end}${text.slice(at, at + size)}${after}`;
    at += size;
  }
  const zero = bend(0.05) ? pick(dice, ["00", "0;x", "0 ", "-0", "", "0x0", "000000000000000000000"]) : "0";
  const trailers = bend(0.2) ? pick(dice, trailerBlocks) : "";
  const end = bend(0.05) ? pick(dice, ["\n", "", "\r", "\n\n"]) : "\r\n";
  return `${body}${zero}\r\n${trailers}${end}`;
}

const sizes = (size: number) => [
  size.toString(16).toUpperCase(),
  `0${size.toString(16)}`,
  `0x${size.toString(16)}`,
  `+${size.toString(16)}`,
  `-${size.toString(16)}`,
  ` ${size.toString(16)}`,
  `${size.toString(16)} `,
  `${size.toString(16)}\t`,
  `${size.toString(16)}_`,
  (size + 1).toString(16),
  Math.max(0, size - 1).toString(16),
  `1${"0".repeat(16)}${size.toString(16)}`,
  `ffffffffffffffff${size.toString(16)}`,
  "",
  "g",
  "\0",
];

const extensions = [
  ";a",
  ";a=b",
  ';a="b"',
  ';a="b;c\\"d"',
  ";a;b=c",
  "; a",
  " ;a",
  ";",
  ";=",
  ";a=",
  ";a b",
  ";a\n",
  ";a\0",
  ";\xe9",
  ';a="\n"',
  ';a="unclosed',
  ";a=b=c",
  `;${"e".repeat(3_000)}`,
  `;${"e".repeat(20_000)}`,
];

const trailerBlocks = [
  "X-Sum: 1\r\n",
  "X-A: 1\r\nX-B:2\r\n",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Host: evil\r\n",
  "X: a\r\n folded\r\n",
  "no colon\r\n",
  "X : y\r\n",
  "X: a\0\r\n",
  "X: y\n",
  `X: ${"t".repeat(20_000)}\r\n`,
];

/** Bytes changed, doubled, dropped or cut off, wherever the dice fall. */
function torn(dice: Dice, text: string): string {
  let made = text;
  const times = 1 + Math.floor(dice() * 3);
  for (let count = 0; count < times && made.length > 0; count += 1) {
    // Most of a stream may be a body, where nothing can go wrong: half of the blows go to the first bytes.
    const at = Math.floor(dice() * (dice() < 0.5 ? Math.min(made.length, 200) : made.length));
    const byte = String.fromCharCode(
      dice() < 0.5 ? Math.floor(dice() * 256) : pick(dice, [0, 9, 10, 11, 13, 32, 44, 58, 59, 127]),
    );
    const how = dice();
    if (how < 0.3) made = made.slice(0, at) + byte + made.slice(at + 1);
    else if (how < 0.55) made = made.slice(0, at) + byte + made.slice(at);
    else if (how < 0.75) made = made.slice(0, at) + made.slice(at + 1);
    else if (how < 0.85) made = made.slice(0, at);
    else {
      const until = at + Math.floor(dice() * 60);
      made = made.slice(0, until) + made.slice(at);
    }
  }
  return made;
}

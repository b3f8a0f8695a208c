// A server of bearer tokens, as small as one can be that a real registry believes.
import { execFileSync } from "node:child_process";
import { createPrivateKey, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TokenServer {
  readonly realm: string;
  readonly service: string;
  /** What the registry trusts its tokens by. */
  readonly certificate: string;
  /** Every question so far: the scope, and who asked. */
  readonly asked: readonly { readonly scope: string; readonly who: string }[];
  token(scope: string): string;
  stop(): Promise<void>;
}

/** `admits` says who may have a token: `name:password`, `refresh:TOKEN`, or nothing for nobody in particular. */
export async function startTokenServer(
  admits: (who: string, scope: string) => boolean | { readonly status: number; readonly body: string },
  { expiresIn = 300 }: { readonly expiresIn?: number } = {},
): Promise<TokenServer> {
  const { certificate, key } = makeSigner();
  const asked: { scope: string; who: string }[] = [];
  const token = (scope: string) => makeToken(scope, certificate, key, expiresIn);

  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      const fields =
        request.method === "POST"
          ? new URLSearchParams(body)
          : new URL(request.url ?? "", "http://x").searchParams;
      const [, basic = ""] = /^Basic (.*)$/.exec(request.headers.authorization ?? "") ?? [];
      const refresh = fields.get("refresh_token");
      const who = refresh === null ? Buffer.from(basic, "base64").toString() : `refresh:${refresh}`;
      const scope = fields.get("scope") ?? "";
      asked.push({ scope, who });
      const admitted = admits(who, scope);
      if (admitted === true) {
        const answer = { token: token(scope), expires_in: expiresIn };
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
        return;
      }
      const refused =
        admitted === false ? { status: 401, body: '{"details":"incorrect username or password"}' } : admitted;
      response.writeHead(refused.status).end(refused.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    service: "test-registry",
    certificate,
    asked,
    token,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function makeToken(scope: string, certificate: string, key: string, expiresIn: number): string {
  const [type = "", name = "", actions = ""] = scope.split(":");
  const seconds = Math.floor(Date.now() / 1000);
  const chain = certificate.replace(/-----[^-]+-----|\s/g, "");
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const head = part({ typ: "JWT", alg: "ES256", x5c: [chain] });
  const claims = part({
    iss: "test",
    aud: "test-registry",
    sub: "",
    nbf: seconds - 10,
    iat: seconds,
    exp: seconds + expiresIn,
    jti: String(Math.floor(performance.now() * 1000)),
    access: [{ type, name, actions: actions.split(",") }],
  });
  const signature = sign("sha256", Buffer.from(`${head}.${claims}`), {
    key: createPrivateKey(key),
    dsaEncoding: "ieee-p1363",
  });
  return `${head}.${claims}.${signature.toString("base64url")}`;
}

function makeSigner() {
  const folder = mkdtempSync(join(tmpdir(), "drydock-signer-"));
  try {
    const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const words = [
      "req",
      "-x509",
      ...ec,
      "-keyout",
      "key.pem",
      "-out",
      "cert.pem",
      "-days",
      "2",
      "-subj",
      "/CN=tokens",
    ];
    execFileSync("openssl", words, { cwd: folder, stdio: "pipe" });
    return {
      certificate: readFileSync(join(folder, "cert.pem"), "utf8"),
      key: readFileSync(join(folder, "key.pem"), "utf8"),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

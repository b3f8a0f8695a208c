/**
 * Registries behind a proxy, found as Go's programs find it: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case.
 * Node's own client knows none on the versions we support.
 */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type Socket } from "node:net";
import { isLoopback } from "./hosts.js";
import { idleMs } from "./limits.js";
import type { Env } from "./machine.js";
import { oneLine, RegistryTrouble } from "./trouble.js";

/** undefined where the way is direct: to this machine itself always. */
export function proxyFor(url: URL, env: Env): URL | undefined {
  if (isLoopback(url.host)) return undefined;
  const setting = (name: string) => env[name] || env[name.toLowerCase()] || "";
  const proxy = setting(url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === "" || isExcepted(url, setting("NO_PROXY"))) return undefined;
  const text = /^\w+:\/\//.test(proxy) ? proxy : `http://${proxy}`;
  const at = URL.canParse(text) ? new URL(text) : undefined;
  if (at !== undefined && /^https?:$/.test(at.protocol)) return at;
  throw new RegistryTrouble(
    `the proxy ${JSON.stringify(oneLine(withoutSecrets(proxy)))} is no HTTP address`,
    {
      help: "correct HTTPS_PROXY or HTTP_PROXY, as http://HOST:PORT",
    },
  );
}

/** `*`, a host, `.domain` or `domain` with all below it, each with a port or without; and addresses as they are. */
function isExcepted({ hostname, port, protocol }: URL, exceptions: string): boolean {
  const host = hostname.toLowerCase();
  const portOf = port || (protocol === "https:" ? "443" : "80");
  return exceptions
    .split(",")
    .map((one) => one.trim().toLowerCase())
    .some((one) => {
      if (one === "*") return true;
      const [, name = "", only] = /^(.*?)(?::(\d+))?$/.exec(one) ?? [];
      if (name === "" || (only !== undefined && only !== portOf)) return false;
      if (isIP(name) !== 0) return name === host;
      const domain = name.replace(/^\*?\./, "");
      return host.endsWith(`.${domain}`) || (host === domain && domain === name);
    });
}

/** What a proxy itself wants to know of who asks. */
export function proxyHeaders({ username, password }: URL): { readonly [name: string]: string } {
  if (username === "") return {};
  const who = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(who).toString("base64")}` };
}

/** A way through the proxy to where TLS begins. */
export function tunnel(proxy: URL, { hostname, port }: URL, signal: AbortSignal): Promise<Socket> {
  const to = `${hostname}:${port || "443"}`;
  return new Promise((resolve, reject) => {
    const asked = (proxy.protocol === "https:" ? httpsRequest : httpRequest)({
      host: proxy.hostname,
      port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
      method: "CONNECT",
      path: to,
      headers: { host: to, ...proxyHeaders(proxy) },
      agent: false,
      signal,
    });
    asked.setTimeout(idleMs, () => asked.destroy(new Error(`no answer for ${idleMs / 1000} s`)));
    asked.once("connect", ({ statusCode, statusMessage = "" }, socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(refusedBy(proxy, to, `${statusCode} ${oneLine(statusMessage)}`));
    });
    // An answer that is none to CONNECT comes from what is no proxy.
    asked.once("response", (answer) => {
      answer.destroy();
      reject(refusedBy(proxy, to, String(answer.statusCode)));
    });
    asked.once("error", (error) => reject(proxyAway(proxy, error)));
    asked.end();
  });
}

function refusedBy(proxy: URL, to: string, said: string): RegistryTrouble {
  return new RegistryTrouble(
    `failed to fetch image information: the proxy ${proxy.host} refused CONNECT to ${to}: ${said}`,
    {
      help: `ask who runs the proxy, or name the registry in NO_PROXY`,
      isUnreachable: true,
    },
  );
}

export function proxyAway(proxy: URL, error: Error): RegistryTrouble {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new RegistryTrouble(
    `failed to fetch image information: the proxy ${proxy.host}: ${oneLine(message || code)}`,
    {
      help: "check HTTPS_PROXY and HTTP_PROXY, or name the registry in NO_PROXY",
      isUnreachable: true,
      cause: error,
    },
  );
}

function withoutSecrets(text: string): string {
  return text.replace(/^(\w+:\/\/)?[^@/]*@/, "$1");
}

// Connections that become something else: exec, attach and port-forward, over WebSocket or SPDY.
import type { Duplex } from "node:stream";
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws";
import type { Call, House } from "../http/call.js";
import { parseResourcePath, type ResourcePath } from "../http/path.js";
import { permit } from "../http/router.js";
import { limits } from "../limits.js";
import { badRequest, noSuchResource } from "../status.js";
import { execWishes, startExec } from "./exec.js";
import { findPod, requireHost, runtimeOf } from "./pods.js";
import { type Dial, portsOf, serveForwardOverSpdy, serveForwardOverWebSocket } from "./portForward.js";
import { serveExecOverSpdy } from "./spdyExec.js";
import { serveExecOverWebSocket } from "./webSocketExec.js";

export interface Upgrades {
  /** Answers an upgrade request; throws while it can still be refused as an ordinary one. */
  take(call: Call, socket: Duplex, head: Buffer): Promise<void>;
}

const tunnelProtocol = "SPDY/3.1+portforward.k8s.io";
const channelProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const spdyExecProtocols = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v3.channel.k8s.io",
  "v2.channel.k8s.io",
];

export function makeUpgrades(_house: House): Upgrades {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.spdyFrameBytes,
    handleProtocols: (offered) => channelProtocols.find((one) => offered.has(one)) ?? false,
  });

  const open = (call: Call, socket: Duplex, head: Buffer): Promise<WebSocket> =>
    new Promise((resolve) => sockets.handleUpgrade(call.request, socket, head, resolve));

  /** `ws` refuses this name for its slash, and clients insist on it: it is taken out before and put back after. */
  const openTunnel = async (call: Call, socket: Duplex, head: Buffer): Promise<Duplex> => {
    delete call.request.headers["sec-websocket-protocol"];
    const name = (headers: string[], request: unknown) => {
      if (request === call.request) headers.push(`Sec-WebSocket-Protocol: ${tunnelProtocol}`);
    };
    sockets.on("headers", name);
    const webSocket = await open(call, socket, head);
    sockets.off("headers", name);
    return createWebSocketStream(webSocket);
  };

  return {
    async take(call, socket, head) {
      const path = parseResourcePath(call.path);
      const streaming =
        path?.group === "" &&
        path.plural === "pods" &&
        ["exec", "attach", "portforward"].includes(path.subresource);
      if (path === undefined || !streaming)
        throw path === undefined ? badRequest("Upgrade is not served here") : noSuchResource();
      permit(call, call.request.method === "POST" ? "create" : "get", path);
      const wanted = String(call.request.headers.upgrade ?? "").toLowerCase();
      if (wanted === "websocket") return overWebSocket(call, path, socket, head);
      if (wanted === "spdy/3.1") return overSpdy(call, path, socket, head);
      throw badRequest(`unable to upgrade: unknown protocol ${JSON.stringify(wanted)}`);
    },
  };

  async function overWebSocket(call: Call, path: ResourcePath, socket: Duplex, head: Buffer): Promise<void> {
    refuseMalformed(call);
    const offered = listOf(call.request.headers["sec-websocket-protocol"]);
    if (path.subresource === "portforward") {
      const dial = dialOf(call, path);
      if (offered.includes(tunnelProtocol)) {
        serveForwardOverSpdy(await openTunnel(call, socket, head), dial);
        return;
      }
      refuseUnknown(offered);
      const ports = portsOf(call.query);
      serveForwardOverWebSocket(await open(call, socket, head), ports, dial);
      return;
    }
    refuseUnknown(offered);
    const session = await startExec(call, path);
    if (socket.destroyed) return session.kill();
    serveExecOverWebSocket(await open(call, socket, head), session);
  }

  async function overSpdy(call: Call, path: ResourcePath, socket: Duplex, head: Buffer): Promise<void> {
    const offered = listOf(call.request.headers["x-stream-protocol-version"]);
    if (path.subresource === "portforward") {
      const dial = dialOf(call, path);
      accept(socket, head, offered.includes("portforward.k8s.io") ? "portforward.k8s.io" : undefined);
      serveForwardOverSpdy(socket, dial);
      return;
    }
    const protocol = spdyExecProtocols.find((one) => offered.includes(one));
    if (protocol === undefined)
      throw badRequest(
        `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}]`,
      );
    const session = await startExec(call, path);
    if (socket.destroyed) return session.kill();
    accept(socket, head, protocol);
    serveExecOverSpdy(socket, session, execWishes(call.query));
  }
}

/** `ws` ends a bad handshake by itself, and would leave a command that had been started for it. */
function refuseMalformed({ request }: Call): void {
  const key = request.headers["sec-websocket-key"] ?? "";
  if (
    request.method === "GET" &&
    request.headers["sec-websocket-version"] === "13" &&
    /^[+/0-9A-Za-z]{22}==$/.test(key)
  )
    return;
  throw badRequest("unable to upgrade: not a WebSocket handshake");
}

function dialOf(call: Call, { namespace, name }: ResourcePath): Dial {
  const found = findPod(call, namespace, name);
  requireHost(found);
  const runtime = runtimeOf(call);
  return (port) => runtime.dial(found.ref, port);
}

function accept(socket: Duplex, head: Buffer, protocol: string | undefined): void {
  const chosen = protocol === undefined ? "" : `X-Stream-Protocol-Version: ${protocol}\r\n`;
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${chosen}\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
}

function refuseUnknown(offered: readonly string[]): void {
  if (offered.length === 0 || channelProtocols.some((one) => offered.includes(one))) return;
  throw badRequest(`unable to upgrade: none of the offered protocols is served: ${offered.join(", ")}`);
}

function listOf(header: string | string[] | undefined): readonly string[] {
  return String(header ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

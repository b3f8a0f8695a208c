// Clients under steady load, each of its own kind. Every answer is one of: fine, a failure that says why, or a failure
// nobody explained.
import { Agent, request } from "node:http";
import { connect, constants } from "node:http2";
import { setTimeout as wait } from "node:timers/promises";
import { WebSocket } from "ws";

/** A Revision that is no longer routed to keeps its pods while a socket is open, until its timeoutSeconds cut it. */
const socketMs = 10_000;
const pauseMs = 10;
const answerWithinMs = 30_000;

/** Begins them all; `stop` waits for what is under way. */
export function startClients({ port, host, grpcHost, kinds }) {
  const tally = { fine: {}, explained: [], unexplained: [], pids: new Set() };
  const stopping = { now: false };
  const run = { keepAlive, sse, webSocket, grpc };
  const running = Object.entries(kinds).flatMap(([kind, count]) =>
    Array.from({ length: count }, () =>
      run[kind]({ port, host: kind === "grpc" ? grpcHost : host, tally, stopping }),
    ),
  );
  return {
    tally,
    async stop() {
      stopping.now = true;
      await Promise.all(running);
    },
  };
}

function fine(tally, kind) {
  tally.fine[kind] = (tally.fine[kind] ?? 0) + 1;
}

/** A 502 of the gateway's own names the pod; whatever a dead pod had begun cannot be told apart from it any more. */
function failed(tally, kind, what) {
  const told = `${what.body ?? ""}${decodeURIComponent(what.message ?? "")}`;
  const saysSo =
    what.reason === "PodBroken" &&
    (what.status === 502 || what.grpcStatus === "14") &&
    /pod [\w-]+ at 127\.0\.0\.1:\d+ of revision/.test(told);
  const explained = saysSo || (what.begun === true && what.cut === true);
  (explained ? tally.explained : tally.unexplained).push({ kind, ...what, atMs: performance.now() });
}

async function keepAlive({ port, host, tally, stopping }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let count = 0;
  while (!stopping.now) {
    count += 1;
    const body = `${count}`;
    const heard = await ask({ port, host, agent, method: "POST", path: "/", body });
    if (heard.status === 200 && heard.body === body) fine(tally, "keepAlive");
    else failed(tally, "keepAlive", heard);
    if (heard.pid !== undefined) tally.pids.add(heard.pid);
    await wait(pauseMs);
  }
  agent.destroy();
}

async function sse({ port, host, tally, stopping }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (!stopping.now) {
    const heard = await ask({ port, host, agent, method: "GET", path: "/events" });
    if (heard.status === 200 && heard.body.endsWith("data: end\n\n")) fine(tally, "sse");
    else failed(tally, "sse", heard);
    await wait(pauseMs);
  }
  agent.destroy();
}

function ask({ port, host, agent, method, path, body }) {
  return new Promise((resolve) => {
    const headers = { host, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) };
    const asked = request({ port, host: "127.0.0.1", agent, method, path, headers });
    const timer = setTimeout(() => asked.destroy(new Error("no answer in time")), answerWithinMs);
    const done = (heard) => {
      clearTimeout(timer);
      resolve(heard);
    };
    asked.on("error", (error) => done({ error: error.code ?? error.message }));
    asked.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", () => {});
      response.on("close", () =>
        done({
          status: response.statusCode,
          reason: response.headers["x-drydock-reason"],
          pid: response.headers["x-pid"] === undefined ? undefined : Number(response.headers["x-pid"]),
          body: text,
          begun: true,
          cut: !response.complete,
        }),
      );
    });
    asked.end(body);
  });
}

async function webSocket({ port, host, tally, stopping }) {
  while (!stopping.now) {
    await new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host } });
      let opened = false;
      let count = 0;
      const openedMs = performance.now();
      const next = () => {
        if (stopping.now || performance.now() - openedMs > socketMs) socket.close(1000);
        else {
          count += 1;
          socket.send(`${count}`);
        }
      };
      socket.on("open", () => {
        opened = true;
        next();
      });
      socket.on("message", (data) => {
        if (String(data) !== `${count}`) failed(tally, "webSocket", { error: `${data} for ${count}` });
        else fine(tally, "webSocket");
        setTimeout(() => socket.readyState === WebSocket.OPEN && next(), pauseMs);
      });
      socket.on("unexpected-response", (_request, response) => {
        failed(tally, "webSocket", {
          status: response.statusCode,
          reason: response.headers["x-drydock-reason"],
        });
        response.resume();
        resolve();
      });
      socket.on("error", (error) => {
        if (!opened) failed(tally, "webSocket", { error: error.code ?? error.message });
      });
      socket.on("close", (code) => {
        // 1001 is the pod's own goodbye; 1006 is a connection that broke.
        if (opened && code === 1006) failed(tally, "webSocket", { begun: true, cut: true, error: "1006" });
        resolve();
      });
    });
    await wait(pauseMs);
  }
}

async function grpc({ port, host, tally, stopping }) {
  let session;
  while (!stopping.now) {
    if (session === undefined || session.closed || session.destroyed) {
      session = connect(`http://127.0.0.1:${port}`);
      session.on("error", () => {});
    }
    let heard = await call(session, host);
    // A refused stream was not looked at; every gRPC library sends it again without a word (gRFC A6).
    if (heard.rstCode === constants.NGHTTP2_REFUSED_STREAM) {
      session = connect(`http://127.0.0.1:${port}`);
      session.on("error", () => {});
      heard = await call(session, host);
    }
    if (heard.grpcStatus === "0" && heard.body === "hello") fine(tally, "grpc");
    else failed(tally, "grpc", heard);
    if (heard.pid !== undefined) tally.pids.add(heard.pid);
    await wait(pauseMs);
  }
  session?.close();
}

function call(session, host) {
  return new Promise((resolve) => {
    const message = Buffer.concat([Buffer.from([0, 0, 0, 0, 5]), Buffer.from("hello")]);
    let stream;
    try {
      stream = session.request({
        ":method": "POST",
        ":path": "/test.Echo/Say",
        ":authority": host,
        "content-type": "application/grpc",
        te: "trailers",
      });
    } catch (error) {
      resolve({ error: error.code });
      return;
    }
    const heard = { body: "", error: undefined };
    const chunks = [];
    stream.setTimeout(answerWithinMs, () => stream.close());
    stream.on("response", (headers) => {
      heard.begun = true;
      heard.grpcStatus = headers["grpc-status"];
      heard.reason = headers["x-drydock-reason"];
      heard.message = headers["grpc-message"];
      if (headers["x-pid"] !== undefined) heard.pid = Number(headers["x-pid"]);
    });
    stream.on("trailers", (headers) => {
      heard.grpcStatus = headers["grpc-status"];
    });
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("error", (error) => {
      heard.error = error.message;
    });
    stream.on("close", () => {
      heard.body = Buffer.concat(chunks).subarray(5).toString();
      heard.rstCode = stream.rstCode;
      heard.cut = heard.begun === true && heard.grpcStatus === undefined;
      resolve(heard);
    });
    stream.end(message);
  });
}

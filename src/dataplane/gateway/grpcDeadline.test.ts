import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { portOf, tableFor, World } from "../../../test/dataplane/testing.js";
import type { Admitted } from "../activator/index.js";
import { deadlineExceeded, grpcTimeoutMs } from "./grpcDeadline.js";
import { Incoming } from "./incoming.js";
import { deadlineMarginMs } from "./limits.js";

function call(timeout: string | undefined, grpc = true): Incoming {
  const incoming = new Incoming();
  incoming.grpc = grpc;
  if (timeout !== undefined) incoming.lines = `grpc-timeout: ${timeout}\r\n`;
  incoming.letters = -1;
  return incoming;
}

describe("a gRPC caller's timeout", () => {
  it("is read in every unit, and rounded up to milliseconds", () => {
    const read = ["2H", "3M", "10S", "250m", "1500u", "1n", "99999999H"].map((one) =>
      grpcTimeoutMs(call(one)),
    );
    expect(read).toEqual([7_200_000, 180_000, 10_000, 250, 2, 1, 99_999_999 * 3_600_000]);
  });

  it("is none when it is not as gRPC writes it, or the call is not gRPC", () => {
    for (const wrong of [undefined, "", "5", "m", "0S", "-1S", "1.5S", "123456789S", "5s", "5 S"])
      expect(grpcTimeoutMs(call(wrong)), wrong).toBeUndefined();
    expect(grpcTimeoutMs(call("5S", false))).toBeUndefined();
  });
});

describe("a call that went wrong", () => {
  const broken: Admitted = { outcome: "broken", how: "closed", because: "reset", begun: false };
  const at = (admitted: Admitted, waitedMs: number) => deadlineExceeded(admitted, waitedMs, 100)?.reason;

  it("did so for the deadline when that has passed, or a pod breaks off on its edge", () => {
    expect(at(broken, 100)).toBe("DeadlineExceeded");
    expect(at(broken, 100 - deadlineMarginMs)).toBe("DeadlineExceeded");
    expect(at({ outcome: "noPod", because: "none" }, 100)).toBe("DeadlineExceeded");
    expect(at({ ...broken, how: "timeout" }, 101)).toBe("DeadlineExceeded");
  });

  it("did so for its own reason before, and when nobody is there to be told", () => {
    expect(at(broken, 99 - deadlineMarginMs)).toBeUndefined();
    expect(at({ outcome: "noPod", because: "none" }, 99.9)).toBeUndefined();
    expect(at({ ...broken, how: "clientGone" }, 200)).toBeUndefined();
    expect(at({ ...broken, begun: true }, 200)).toBeUndefined();
    expect(at({ outcome: "answered", status: 200 }, 200)).toBeUndefined();
  });
});

/** HTTP/2 by hand: `node:http2` would end the answer before it resets the stream. */
function beginsAndResets(socket: Socket): void {
  const frame = (type: number, flags: number, stream: number, payload: readonly number[]) =>
    Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream, ...payload]);
  const [settings, headers, data, reset] = [4, 1, 0, 3];
  const endHeaders = 4;
  const status200 = 0x88;
  socket.write(frame(settings, 0, 0, []));
  let held = Buffer.alloc(0);
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;
  let at = preface;
  socket.on("data", (bytes: Buffer) => {
    held = Buffer.concat([held, bytes]);
    for (
      ;
      held.length >= at + 9 && held.length >= at + 9 + held.readUIntBE(at, 3);
      at += 9 + held.readUIntBE(at, 3)
    ) {
      if (held[at + 3] !== headers) continue;
      const stream = held.readUInt32BE(at + 5);
      socket.write(
        Buffer.concat([
          frame(headers, endHeaders, stream, [status200]),
          frame(data, 0, stream, [...Buffer.from("part")]),
          frame(reset, 0, stream, [0, 0, 0, constants.NGHTTP2_CANCEL]),
        ]),
      );
    }
  });
}

describe("a caller with a deadline", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.dispose());

  async function startAt(podPort: number): Promise<ClientHttp2Session> {
    const { port } = await world.start(tableFor([podPort], { portName: "h2c" }));
    const session = connect(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    world.atEnd(() => session.destroy());
    return session;
  }

  async function start(serve: (stream: ServerHttp2Stream) => void): Promise<ClientHttp2Session> {
    const pod = createServer();
    pod.on("stream", (stream) => {
      stream.on("error", () => {});
      serve(stream);
    });
    const sessions = new Set<{ destroy(): void }>();
    pod.on("session", (session) => sessions.add(session));
    await new Promise<void>((resolve) => pod.listen(0, "127.0.0.1", resolve));
    world.atEnd(() => {
      for (const one of sessions) one.destroy();
      pod.close();
    });
    return startAt(portOf(pod));
  }

  /** What the caller reads of its call, and the code its stream ended with. */
  function ask(
    session: ClientHttp2Session,
    timeout: string,
  ): Promise<{ said: IncomingHttpHeaders; code: number }> {
    return new Promise((resolve) => {
      const stream = session.request({
        ":authority": "model.test",
        ":method": "POST",
        ":path": "/inference.GRPCInferenceService/ModelInfer",
        "content-type": "application/grpc",
        "grpc-timeout": timeout,
      });
      let said: IncomingHttpHeaders = {};
      const hear = (headers: IncomingHttpHeaders) => {
        said = { ...said, ...headers };
      };
      stream.on("response", hear);
      stream.on("trailers", hear);
      stream.on("error", () => {});
      stream.on("close", () => resolve({ said, code: stream.rstCode ?? -1 }));
      stream.resume();
      stream.end("call");
    });
  }

  it("reads DEADLINE_EXCEEDED when the pod, which measures it too, resets the stream first", async () => {
    const session = await start((stream) => stream.close(constants.NGHTTP2_CANCEL));
    // All of so short a deadline is its edge.
    const { said } = await ask(session, `${deadlineMarginMs}m`);
    expect(said).toMatchObject({
      ":status": 200,
      "grpc-status": "4",
      "x-drydock-reason": "DeadlineExceeded",
    });
  });

  it("reads that the pod broke off when it does so long before", async () => {
    const session = await start((stream) => stream.close(constants.NGHTTP2_CANCEL));
    const { said } = await ask(session, "60S");
    expect(said).toMatchObject({ "grpc-status": "14", "x-drydock-reason": "PodBroken" });
  });

  it("reads it at the end of an answer that had begun", async () => {
    const session = await startAt(await world.rawPod(beginsAndResets));
    expect(await ask(session, `${deadlineMarginMs}m`)).toMatchObject({
      said: { ":status": 200, "grpc-status": "4" },
      code: constants.NGHTTP2_NO_ERROR,
    });
    const long = await ask(session, "60S");
    expect(long.said["grpc-status"]).toBeUndefined();
    expect(long.code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  });

  it("reads it when the pod stays silent, and the pod is told to stop", async () => {
    const codes: number[] = [];
    const session = await start((stream) => stream.on("close", () => codes.push(stream.rstCode ?? -1)));
    const { said } = await ask(session, "30m");
    expect(said).toMatchObject({ "grpc-status": "4", "x-drydock-reason": "DeadlineExceeded" });
    expect(String(said["grpc-message"])).toContain("30%20ms");
    await expect.poll(() => codes).toEqual([constants.NGHTTP2_CANCEL]);
  });
});

// Server-sent events: each arrives when it is sent, and the pod hears when nobody listens any more.
import { get, type RequestListener, type ServerResponse } from "node:http";
import { connect as connectH2 } from "node:http2";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { tableFor, World } from "../../../test/dataplane/testing.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

interface Listening {
  readonly type: string | undefined;
  readonly events: Readable;
  leave(): void;
}

const overHttp1 = (port: number) =>
  new Promise<Listening>((resolve, reject) => {
    const request = get({ port, host: "127.0.0.1", headers: { host: "model.test" } }, (message) => {
      message.on("error", () => {});
      resolve({
        type: message.headers["content-type"],
        events: message,
        leave: () => request.destroy(),
      });
    });
    request.on("error", reject);
  });

const overHttp2 = (port: number) =>
  new Promise<Listening>((resolve, reject) => {
    const session = connectH2(`http://127.0.0.1:${port}`);
    world.atEnd(() => session.destroy());
    const stream = session.request({ ":authority": "model.test" });
    stream.on("error", reject);
    stream.on("response", (headers) =>
      resolve({ type: headers["content-type"], events: stream, leave: () => stream.close() }),
    );
  });

it.each([
  ["HTTP/1.1", overHttp1],
  ["HTTP/2", overHttp2],
])(
  "events over %s come one by one, each before the next is sent, and their source hears the end",
  async (_, listen) => {
    let source: ServerResponse | undefined;
    let left = false;
    const pod: RequestListener = (_request, response) => {
      source = response;
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      response.on("close", () => {
        left = true;
      });
    };
    const { port, gateway } = await world.start(tableFor([await world.pod(pod)]));
    // Its head comes before there is any event.
    const { type, events, leave } = await listen(port);
    expect(type).toBe("text/event-stream");
    let got = "";
    events.on("data", (chunk) => {
      got += chunk;
    });
    let sent = "";
    for (const event of ["data: one\n\n", "event: x\ndata: two\n\n", ": still here\n\n", "data: three\n\n"]) {
      source?.write(event);
      sent += event;
      // The pod says nothing more until this one is there.
      await expect.poll(() => got, { interval: 2 }).toBe(sent);
    }
    expect([left, gateway.stats().inFlight]).toEqual([false, 1]);
    leave();
    await expect.poll(() => left, { interval: 2 }).toBe(true);
    await expect.poll(() => gateway.stats().inFlight, { interval: 2 }).toBe(0);
  },
);

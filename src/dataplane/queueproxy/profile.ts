/**
 * Port 8008, where Go serves its profiles. What Node has is served in Node's own form, which its developer tools read;
 * what it has not is said, so that nobody waits for it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Session } from "node:inspector/promises";
import { profileLongestSeconds, profileUsualSeconds } from "./limits.js";

const root = "/debug/pprof/";
const elsewhere = `Drydock's queue-proxy runs on Node, so of Go's profiles there is here:
${root}profile?seconds=N   the processor's, for N seconds (${profileUsualSeconds} unless told, at most ${profileLongestSeconds}): save it as .cpuprofile
${root}heap                what is in memory now: save it as .heapsnapshot
Both are read by the developer tools of Chrome and by Visual Studio Code.
`;

export function profiles(): (request: IncomingMessage, response: ServerResponse) => void {
  let isBusy = false;
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://queue-proxy");
    const take = (how: (session: Session) => Promise<void>): void => {
      if (isBusy) {
        say(response, 503, "A profile is being taken; one is enough at a time.\n");
        return;
      }
      isBusy = true;
      void profiled(response, how).finally(() => {
        isBusy = false;
      });
    };
    if (pathname === root) say(response, 200, elsewhere);
    else if (pathname === `${root}profile`) {
      const seconds = Number(searchParams.get("seconds") ?? profileUsualSeconds);
      if (seconds > 0 && seconds <= profileLongestSeconds)
        take((session) => processor(session, seconds * 1000, response));
      else say(response, 400, `seconds must be above 0 and at most ${profileLongestSeconds}\n`);
    } else if (pathname === `${root}heap`) take((session) => memory(session, response));
    else say(response, 404, `${pathname} is not there. ${elsewhere}`);
  };
}

async function profiled(response: ServerResponse, how: (session: Session) => Promise<void>): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await how(session);
  } catch (error) {
    if (!response.headersSent)
      say(response, 500, `The profile cannot be taken: ${(error as Error).message}\n`);
    else response.destroy();
  } finally {
    session.disconnect();
  }
}

async function processor(session: Session, forMs: number, response: ServerResponse): Promise<void> {
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, forMs);
    // Whoever asked has gone: nobody wants the rest.
    response.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  const { profile } = await session.post("Profiler.stop");
  if (!response.destroyed) file(response, "queue-proxy.cpuprofile").end(JSON.stringify(profile));
}

async function memory(session: Session, response: ServerResponse): Promise<void> {
  const to = file(response, "queue-proxy.heapsnapshot");
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ params }) => void to.write(params.chunk));
  await session.post("HeapProfiler.takeHeapSnapshot");
  to.end();
}

function file(response: ServerResponse, name: string): ServerResponse {
  return response.writeHead(200, {
    "content-type": "application/json",
    "content-disposition": `attachment; filename=${name}`,
  });
}

function say(response: ServerResponse, status: number, text: string): void {
  const headers = { "content-type": "text/plain; charset=utf-8", "x-drydock-reason": "QueueProxyProfile" };
  response.writeHead(status, headers).end(text);
}

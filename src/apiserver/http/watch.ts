// A watch: a stream of events, one JSON document a line, for as long as both sides want it.
import { earlyQuery } from "../../domain/apis/meta/early.js";
import { fieldErrors } from "../../domain/apis/meta/fieldError.js";
import { limits } from "../limits.js";
import { parseVersion } from "../listing.js";
import { type Seen, type Served, selectionOf } from "../registry/index.js";
import { expired, invalidOptions, refusal, type Status } from "../status.js";
import { acceptedBy, type Call, warnOfDeprecation } from "./call.js";
import { isTrue, type ResourcePath } from "./path.js";
import { listRequestOf } from "./read.js";
import { warningHeaders } from "./respond.js";
import { bookmarkText, shapeObject, tableWishes } from "./shapes.js";

/** Resolves when the stream has ended, whoever ended it. */
export async function watchObjects(
  call: Call,
  served: Served,
  { namespace, name }: ResourcePath,
): Promise<void> {
  const { house, query, response } = call;
  const { registry, clock, meter } = house;
  const negotiated = acceptedBy(call, served);
  // Events are framed as JSON whatever was asked; a list form means each object in that form.
  const accepted =
    negotiated.as === "PartialObjectMetadataList"
      ? { ...negotiated, as: "PartialObjectMetadata" as const }
      : negotiated;
  warnOfDeprecation(call, served);
  const initial = wantsInitialEvents(query);
  const request = listRequestOf(query, namespace, name);
  const selection = selectionOf(served, request);
  const from = parseVersion(request.resourceVersion) ?? 0;
  const bookmarks = isTrue(query.get("allowWatchBookmarks"));
  let wishes = tableWishes(query, clock.now());

  response.writeHead(200, {
    "Content-Type": "application/json",
    "Cache-Control": "no-cache, private",
    ...warningHeaders(call.warnings),
  });
  // client-go waits for the headers before it believes the watch began.
  response.flushHeaders();

  const { collection } = served;
  let ended = false;
  let finish = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const cancels: (() => void)[] = [];
  // As everybody in the server's process does: a request waits for what the gateway hears. Nobody else may ask for that.
  const early = isTrue(query.get(earlyQuery)) && call.user.groups.includes("system:masters");
  let inTurn = false;
  let corked = false;
  const flush = () => {
    inTurn = false;
    if (!corked) return;
    corked = false;
    response.uncork();
  };
  const end = (last?: string) => {
    if (ended) return;
    ended = true;
    for (const cancel of cancels) cancel();
    if (last !== undefined) response.write(last);
    // Node 22 loses what is corked when the response ends.
    flush();
    response.end();
    finish();
  };

  const write = (text: string) => {
    if (ended) return;
    // All events of one turn of the loop leave in one piece; for who is in a hurry the first goes ahead.
    const goesAhead = early && !inTurn;
    if (!inTurn) setImmediate(flush);
    inTurn = true;
    if (!goesAhead && !corked) {
      corked = true;
      response.cork();
    }
    response.write(text);
    // Node would keep it until all that was promised in this turn has run.
    if (goesAhead) response.socket?.uncork();
    if (response.writableLength > limits.watchBacklogBytes) {
      meter.watchCut();
      ended = true;
      for (const cancel of cancels) cancel();
      // No room for a farewell: the reader is not reading. It will find the stream cut, and list again.
      response.destroy();
      finish();
    }
  };
  const tell = ({ type, stored }: Seen) => {
    write(
      `{"type":"${type}","object":${shapeObject(served, served.show(stored), accepted, { ...wishes, nowMs: clock.now() })}}\n`,
    );
    wishes = { ...wishes, columns: false };
  };
  const bookmark = (initialEnd: boolean) => {
    write(
      `{"type":"BOOKMARK","object":${bookmarkText(served, registry.revision(), accepted, wishes, initialEnd)}}\n`,
    );
  };

  meter.watchOpened();
  cancels.push(() => meter.watchClosed());
  response.on("close", () => end());

  const fresh = from === 0 || initial;
  const since = early ? collection.sinceEarly : collection.since;
  const missed = fresh ? undefined : since(from, selection);
  if (!fresh && missed === undefined) {
    end(errorEvent(expired(from, collection.floor()).status as Status));
    return done;
  }
  if (fresh && query.get("sendInitialEvents")?.toLowerCase() !== "false") {
    for (const stored of collection.list(selection)) tell({ type: "ADDED", stored });
  }
  for (const seen of missed ?? []) tell(seen);
  if (initial && bookmarks) bookmark(true);
  if (ended) return done;

  const hear = (seen: Seen) => {
    if (seen.stored.revision > from) tell(seen);
  };
  const lost = () => end(errorEvent(expired(registry.revision(), registry.revision()).status as Status));
  cancels.push(early ? collection.watchEarly(selection, hear, lost) : collection.watch(selection, hear));
  if (bookmarks) {
    const again = (): (() => void) =>
      clock.after(limits.bookmarkMs, () => {
        bookmark(false);
        if (!ended) cancelBookmark = again();
      });
    let cancelBookmark = again();
    cancels.push(() => cancelBookmark());
  }
  cancels.push(
    clock.after(lifeOf(query, house.random), () => {
      if (bookmarks) bookmark(false);
      end();
    }),
  );
  return done;
}

function errorEvent(status: Status): string {
  return `{"type":"ERROR","object":${JSON.stringify(status)}}\n`;
}

function lifeOf(query: URLSearchParams, random: () => number): number {
  const seconds = Number(query.get("timeoutSeconds") ?? "");
  if (seconds > 0) return seconds * 1000;
  const { least, most } = limits.watchTimeoutMs;
  return least + random() * (most - least);
}

function wantsInitialEvents(query: URLSearchParams): boolean {
  const match = query.get("resourceVersionMatch") ?? "";
  const given = query.get("sendInitialEvents");
  const complain = (field: string, detail: string) =>
    invalidOptions("ListOptions", [fieldErrors.forbidden(field, detail)]);
  if (given === null || given === "") {
    if (match === "") return false;
    throw complain(
      "resourceVersionMatch",
      "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
    );
  }
  if (match !== "NotOlderThan") {
    throw complain(
      "resourceVersionMatch",
      "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    );
  }
  if (query.get("continue")) throw refusal("BadRequest", "continue is forbidden for watch");
  return isTrue(given);
}

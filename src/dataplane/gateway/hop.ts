// Where requests come from: one for all of a connection, so that what they have in common is written once.
import { flat } from "../proxy/index.js";

export class Hop {
  /** The host asked for last, and our lines for it. */
  private host = "";
  private text: string | undefined;

  constructor(
    readonly peer: string,
    /** Over TLS. */
    readonly secure: boolean,
    readonly port = 0,
  ) {}

  get scheme(): "http" | "https" {
    return this.secure ? "https" : "http";
  }

  /** In the form of `Forwarded`. */
  element(host: string): string {
    const address = this.peer.includes(":") ? `"[${this.peer}]"` : this.peer;
    return `for=${address};host=${quoted(host)};proto=${this.scheme}`;
  }

  /** The host asked for last, if these bytes spell it once more. */
  knownHost(bytes: Uint8Array, from: number, stop: number): string | undefined {
    const { host } = this;
    if (stop - from !== host.length || host === "") return undefined;
    for (let at = 0; at < host.length; at += 1)
      if (bytes[from + at] !== host.charCodeAt(at)) return undefined;
    return host;
  }

  /** The lines that name it and the host that was asked for, where no hop before it has named itself. */
  lines(host: string): string {
    if (this.text === undefined || host !== this.host) {
      this.host = flat(host);
      this.text = flat(
        `X-Forwarded-For: ${this.peer}\r\nX-Forwarded-Proto: ${this.scheme}\r\n` +
          `X-Forwarded-Host: ${host}\r\nForwarded: ${this.element(host)}\r\n`,
      );
    }
    return this.text;
  }
}

/** In `Forwarded` a colon, as before a port, needs quotes. */
export function quoted(host: string): string {
  return host.includes(":") || host === "" ? `"${host}"` : host;
}

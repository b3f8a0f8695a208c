// Where requests come from: one for all of a connection, so that what they have in common is written once.
import { flat } from "../proxy/index.js";

export class Hop {
  private host: string | undefined;
  private text = "";

  constructor(
    readonly peer: string,
    /** Over TLS. */
    readonly secure: boolean,
  ) {}

  get scheme(): "http" | "https" {
    return this.secure ? "https" : "http";
  }

  /** In the form of `Forwarded`. */
  element(host: string): string {
    const address = this.peer.includes(":") ? `"[${this.peer}]"` : this.peer;
    return `for=${address};host=${quoted(host)};proto=${this.scheme}`;
  }

  /** The lines that name it and the host that was asked for, where no hop before it has named itself. */
  lines(host: string): string {
    if (host !== this.host) {
      this.text = flat(
        `X-Forwarded-For: ${this.peer}\r\nX-Forwarded-Proto: ${this.scheme}\r\n` +
          `X-Forwarded-Host: ${host}\r\nForwarded: ${this.element(host)}\r\n`,
      );
      this.host = host;
    }
    return this.text;
  }
}

/** In `Forwarded` a colon, as before a port, needs quotes. */
export function quoted(host: string): string {
  return host.includes(":") || host === "" ? `"${host}"` : host;
}

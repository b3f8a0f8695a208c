// An accepted socket that reads into a buffer it is given, as sockets do that were dialled with `onread`. Node's server
// does not offer that, so a second socket takes over the first one's handle.
import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";

/** What Node keeps to itself of a socket: its handle, which is taken from it. */
interface Handled {
  _handle: { useUserBuffer?: unknown } | null | undefined;
}

/** Undefined where Node's sockets are no longer made so: the accepted one then goes on as it is. */
export function readInto(
  accepted: Socket,
  buffer: Buffer,
  read: (length: number) => void,
): Socket | undefined {
  const first = accepted as unknown as Handled;
  const handle = first._handle;
  if (accepted.destroyed || typeof handle?.useUserBuffer !== "function") return undefined;
  const callback = (length: number) => {
    read(length);
    return true;
  };
  const options: SocketConstructorOpts & { handle: object; onread: OnReadOpts } = {
    handle,
    allowHalfOpen: true,
    onread: { buffer, callback },
  };
  first._handle = null;
  const socket = new Socket(options);
  accepted.destroy();
  return socket;
}

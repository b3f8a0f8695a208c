/**
 * A shell that waits for us to die. Its input is a pipe only we hold, so its end is our end, SIGKILL included; it
 * then ends every group on record. It looks twice: a start that was under way may record itself a moment late.
 */
import { spawn } from "node:child_process";

export interface Reaper {
  /** The last word: nothing is on record any more, so it finds nothing to do. */
  dismiss(): void;
}

const isSameProcess =
  process.platform === "linux"
    ? `read -r stat 2>/dev/null < "/proc/$pid/stat" || return 0; set -- \${stat##*") "}; [ "\${20}" = "$start" ]`
    : 'now=$(ps -o lstart= -p "$pid" | tr -s " " "_" | sed "s/_$//"); [ -z "$now" ] || [ "$now" = "$start" ]';

// The folder comes by the pipe: named in the arguments, it would make `pkill -f` hit the reaper with us.
const script = `
IFS= read -r folder || exit 0
while IFS= read -r line; do :; done
same() { ${isSameProcess}; }
end_all() {
  for record in "$folder"/*.pid; do
    [ -f "$record" ] && read -r pid start < "$record" && [ -n "$start" ] || continue
    same && kill -s KILL -- "-$pid" 2>/dev/null
  done
}
end_all; sleep 1; end_all
`;

export function startReaper(folder: string): Reaper {
  const shell = spawn("/bin/sh", ["-c", script], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
  });
  shell.on("error", () => {}); // without a shell nothing could be started either; that is told at the first start
  shell.stdin.on("error", () => {});
  shell.stdin.write(`${folder}\n`);
  shell.unref();
  (shell.stdin as unknown as { unref?: () => void }).unref?.();
  return {
    dismiss() {
      shell.stdin.end();
    },
  };
}

// Signals, where "no such process" is an answer and not an error.

export function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  return send(-leader, signal);
}

export function signalOne(pid: number, signal: NodeJS.Signals | 0): boolean {
  return send(pid, signal);
}

function send(target: number, signal: NodeJS.Signals | 0): boolean {
  // 0 and -1 mean "my own group" and "everybody": never what is meant here.
  if (!Number.isInteger(target) || Math.abs(target) <= 1) return false;
  try {
    return process.kill(target, signal);
  } catch (error) {
    // EPERM: on macOS a group of zombies only; nothing there is left to end.
    if (["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

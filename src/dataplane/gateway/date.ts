// The value of the Date header, made once a second.
import type { Clock } from "../../ports/index.js";

export function httpDate(clock: Clock): () => string {
  let text = "";
  let untilMs = 0;
  return () => {
    const nowMs = clock.now();
    // A clock that was set back must not freeze the date.
    if (nowMs >= untilMs || nowMs < untilMs - 1000) {
      text = new Date(nowMs).toUTCString();
      untilMs = nowMs - (nowMs % 1000) + 1000;
    }
    return text;
  };
}

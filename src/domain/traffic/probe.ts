// What an answer to a probe of the gateway proves, in the words and the three families of the debug guide.

export interface ProbeAsked {
  readonly url: string;
  /** Who was really asked: `IP:PORT`. */
  readonly address: string;
  /** The configuration that should answer; undefined takes any. */
  readonly hash: string | undefined;
}

export type ProbeAnswer =
  | { readonly status: number; readonly hash?: string | undefined; readonly refusedBy?: string | undefined }
  | { readonly error: string };

export type ProbeVerdict =
  | { readonly outcome: "ready" }
  /** It came from something before these routes. Whether they are there cannot be told, nor waited for. */
  | { readonly outcome: "inFront"; readonly reason: string; readonly because: string }
  | { readonly outcome: "notReady"; readonly because: string };

export function judgeProbe(asked: ProbeAsked, answer: ProbeAnswer): ProbeVerdict {
  if ("error" in answer) return { outcome: "notReady", because: failed(asked, answer.error) };
  const { status, hash, refusedBy } = answer;
  if (status !== 200) {
    const because = failed(asked, `unexpected status code: want [200], got ${status}`);
    if (status === 404 || status === 503)
      return { outcome: "notReady", because: `${because}: ${notThereYet(status)}` };
    const by = refusedBy ? ` (${refusedBy})` : "";
    return { outcome: "inFront", ...familyOf(status, (why) => `${because}: ${why}${by}`) };
  }
  if (asked.hash === undefined || hash === asked.hash) return { outcome: "ready" };
  if (hash !== undefined) {
    const error = `unexpected hash: want "${asked.hash}", got "${hash}"`;
    return { outcome: "notReady", because: failed(asked, error) };
  }
  const because = failed(asked, `unexpected hash: want "${asked.hash}", got none`);
  return { outcome: "inFront", ...familyOf(200, (why) => `${because}: ${why}`) };
}

/** All must be ready. What keeps waiting is told before what stands in front. */
export function judgeProbes(verdicts: readonly ProbeVerdict[]): ProbeVerdict {
  return (
    verdicts.find(({ outcome }) => outcome === "notReady") ??
    verdicts.find(({ outcome }) => outcome === "inFront") ?? { outcome: "ready" }
  );
}

/** As Knative's controller logs it; people search for these words. */
function failed({ url, address }: ProbeAsked, error: string): string {
  return `Probing of ${url} failed, IP: ${address}, ready: false, error: ${error} (depth: 0)`;
}

function notThereYet(status: 404 | 503): string {
  return status === 404
    ? "404 means that the gateway does not know this host yet"
    : "503 means that the gateway knows nobody yet who could answer";
}

function familyOf(status: number, told: (why: string) => string) {
  if (status === 401 || (status >= 300 && status < 400)) {
    const how = status === 401 ? "asks for credentials" : "sends whoever comes to log in";
    const because = told(`${status} means that authentication in front of the gateway ${how}`);
    return { reason: "AuthenticationInFront", because };
  }
  if (status === 403) {
    const because = told("403 means that a policy (Istio RBAC) keeps probes out");
    return { reason: "PolicyInFront", because };
  }
  const because = told("something else than these routes answered for the host");
  return { reason: "AnsweredInFront", because };
}

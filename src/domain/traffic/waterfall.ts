// Every limit a request meets on its way, in the order it meets them.

/** What the gateway and the kubelet are built with; a test holds these to the limits of their rooms. */
export const builtIn = {
  firstByteMs: 60_000,
  headMs: 60_000,
  keepAliveMs: 75_000,
  connectMs: 3_000,
  answerMs: 600_000,
  heldPerRevision: 10_000,
  lameDuckMs: 400,
} as const;

export interface RouteLimits {
  /** `VirtualService NAMESPACE/NAME`. */
  readonly from: string;
  readonly timeout: string | undefined;
  readonly perTryTimeout: string | undefined;
  readonly attempts: number | undefined;
}

export interface RevisionLimits {
  readonly name: string;
  readonly containerConcurrency: number | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly responseStartTimeoutSeconds: number | undefined;
  readonly idleTimeoutSeconds: number | undefined;
}

export interface Step {
  readonly limit: string;
  readonly value: string;
  readonly from: string;
}

export function waterfall(routes: readonly RouteLimits[], revisions: readonly RevisionLimits[]): Step[] {
  const gateway = "gateway";
  const ms = (value: number) => `${value / 1000}s`;
  const steps: Step[] = [
    { limit: "client: first byte of a connection", value: ms(builtIn.firstByteMs), from: gateway },
    { limit: "client: head of a request", value: ms(builtIn.headMs), from: gateway },
    { limit: "client: idle connection", value: ms(builtIn.keepAliveMs), from: gateway },
  ];
  for (const route of routes) {
    steps.push({ limit: "route: whole request", value: route.timeout ?? "none", from: route.from });
    if (route.perTryTimeout !== undefined)
      steps.push({
        limit: `route: each of ${route.attempts ?? 2} tries`,
        value: route.perTryTimeout,
        from: route.from,
      });
  }
  for (const revision of revisions) {
    const from = `Revision ${revision.name}`;
    const seconds = (value: number | undefined) =>
      value === undefined || value === 0 ? "none" : `${value}s`;
    const timeoutSeconds = revision.timeoutSeconds || 300;
    steps.push(
      { limit: "hold: requests in line for a pod", value: String(builtIn.heldPerRevision), from: gateway },
      {
        limit: "pod: requests at once",
        value: revision.containerConcurrency ? String(revision.containerConcurrency) : "any number",
        from: `${from} containerConcurrency`,
      },
      { limit: "pod: connection", value: ms(builtIn.connectMs), from: gateway },
      {
        limit: "answer: first byte, from arrival",
        value: seconds(revision.responseStartTimeoutSeconds),
        from: `${from} responseStartTimeoutSeconds`,
      },
      {
        limit: "answer: from byte to byte",
        value: seconds(revision.idleTimeoutSeconds),
        from: `${from} idleTimeoutSeconds`,
      },
      {
        limit: "answer: last byte, from arrival, holding included",
        value: seconds(timeoutSeconds),
        from: `${from} timeoutSeconds`,
      },
    );
    steps.push(
      { limit: "pod leaves: told to end after", value: ms(builtIn.lameDuckMs), from: "kubelet" },
      { limit: "pod leaves: killed after", value: seconds(timeoutSeconds), from: `${from} timeoutSeconds` },
    );
  }
  if (routes.length > 0 && routes.every(({ timeout }) => timeout === undefined))
    steps.push({ limit: "answer: where nothing else says", value: ms(builtIn.answerMs), from: gateway });
  return steps;
}

// Every limit a request meets on its way, in the order it meets them.

/** What the gateway and the kubelet are built with; a test holds these to the limits of their rooms. */
export const builtIn = {
  firstByteMs: 60_000,
  headMs: 60_000,
  keepAliveMs: 75_000,
  headBytes: 32 * 1024,
  bodyBytes: 4 * 1024 ** 3,
  gatherMs: 60_000,
  connectMs: 3_000,
  answerMs: 600_000,
  heldPerRevision: 10_000,
  heldOverall: { count: 20_000, bytes: 256 * 1024 ** 2 },
  refusedHoldMs: 10_000,
  brokenHoldMs: 5_000,
  connectionsPerAddress: 8_192,
  tunnelIdleMs: 3_600_000,
  lameDuckMs: 400,
} as const;

export interface RouteLimits {
  /** `VirtualService NAMESPACE/NAME`. */
  readonly from: string;
  readonly timeout: string | undefined;
  readonly perTryTimeout: string | undefined;
  readonly attempts: number | undefined;
  /** A fault's wait before anything else. */
  readonly delay: string | undefined;
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
  const size = (bytes: number) => {
    const unit = bytes >= 1024 ** 3 ? 3 : bytes >= 1024 ** 2 ? 2 : 1;
    return `${bytes / 1024 ** unit} ${["KiB", "MiB", "GiB"][unit - 1]}`;
  };
  const steps: Step[] = [
    { limit: "client: first byte of a connection", value: ms(builtIn.firstByteMs), from: gateway },
    {
      limit: "client: head of a request",
      value: `${ms(builtIn.headMs)}, ${size(builtIn.headBytes)}`,
      from: gateway,
    },
    { limit: "client: body of a request", value: size(builtIn.bodyBytes), from: gateway },
    { limit: "client: a body gathered before it is sent on", value: ms(builtIn.gatherMs), from: gateway },
    { limit: "client: idle connection", value: ms(builtIn.keepAliveMs), from: gateway },
  ];
  for (const route of routes) {
    if (route.delay !== undefined)
      steps.push({ limit: "route: a fault's delay", value: route.delay, from: route.from });
    steps.push({ limit: "route: whole request", value: route.timeout ?? "none", from: route.from });
    if (route.perTryTimeout !== undefined || route.attempts !== undefined)
      steps.push({
        limit: `route: each of ${route.attempts ?? 2} tries`,
        value: route.perTryTimeout ?? "none",
        from: route.from,
      });
  }
  steps.push({
    limit: "caller: its own deadline",
    value: "grpc-timeout, where it is sooner",
    from: "the request",
  });
  if (revisions.length > 0)
    steps.push({
      limit: "hold: all requests in line for any pod",
      value: `${builtIn.heldOverall.count}, ${size(builtIn.heldOverall.bytes)}`,
      from: gateway,
    });
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
      { limit: "hold: while ready pods refuse", value: ms(builtIn.refusedHoldMs), from: gateway },
      { limit: "hold: while its pods fail", value: ms(builtIn.brokenHoldMs), from: gateway },
      { limit: "pod: connections", value: String(builtIn.connectionsPerAddress), from: gateway },
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
  if (routes.every(({ timeout }) => timeout === undefined))
    steps.push({ limit: "answer: where nothing else says", value: ms(builtIn.answerMs), from: gateway });
  steps.push({ limit: "WebSocket: silent", value: ms(builtIn.tunnelIdleMs), from: gateway });
  return steps;
}

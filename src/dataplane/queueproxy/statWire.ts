// Knative's `metrics.Stat` in protobuf, written by hand: six fields and a name.

export interface Stat {
  readonly podName: string;
  readonly averageConcurrentRequests: number;
  readonly averageProxiedConcurrentRequests: number;
  readonly requestCount: number;
  readonly proxiedRequestCount: number;
  readonly processUptimeSeconds: number;
  readonly timestampSeconds: number;
}

const double = 1;
const bytes = 2;
const varint = 0;

/** As protobuf 3 does, what is zero is left out. */
export function encodeStat(stat: Stat): Buffer {
  const name = Buffer.from(stat.podName);
  const parts: Buffer[] = [];
  if (name.length > 0) parts.push(Buffer.from([tag(1, bytes), ...varintOf(name.length)]), name);
  for (const [field, value] of [
    [2, stat.averageConcurrentRequests],
    [3, stat.averageProxiedConcurrentRequests],
    [4, stat.requestCount],
    [5, stat.proxiedRequestCount],
    [6, stat.processUptimeSeconds],
  ] as const) {
    if (value === 0) continue;
    const part = Buffer.alloc(9);
    part[0] = tag(field, double);
    part.writeDoubleLE(value, 1);
    parts.push(part);
  }
  if (stat.timestampSeconds > 0)
    parts.push(Buffer.from([tag(7, varint), ...varintOf(stat.timestampSeconds)]));
  return Buffer.concat(parts);
}

function tag(field: number, wire: number): number {
  return field * 8 + wire;
}

function varintOf(value: number): number[] {
  const out: number[] = [];
  let left = value;
  while (left >= 0x80) {
    out.push((left % 0x80) + 0x80);
    left = Math.floor(left / 0x80);
  }
  out.push(left);
  return out;
}

// What the data plane tells the autoscaler of one revision (knative-serving.md, section 5.2: Stat).

/** One reporter's figures over the period that ends at `timestampMs`. */
export interface RevisionStat {
  readonly namespace: string;
  /** The Revision's name. */
  readonly name: string;
  /** Who counted: a pod, or `activator` for whoever stands before the pods. */
  readonly podName: string;
  /** Time-weighted requests in flight, those that are held included. */
  readonly averageConcurrentRequests: number;
  /** The part of it that another reporter before this one has counted too. */
  readonly averageProxiedConcurrentRequests: number;
  /** Arrivals in the period, per second. */
  readonly requestCount: number;
  readonly proxiedRequestCount: number;
  readonly processUptimeSeconds: number;
  readonly timestampMs: number;
}

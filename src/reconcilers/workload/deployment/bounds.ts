// What a Deployment's strategy allows, in pods. Pure.
import type { Deployment } from "../../../domain/apis/apps/apps.types.js";

export interface Bounds {
  readonly wished: number;
  /** Pods there may be in all, old and new. */
  readonly most: number;
  /** Pods that must be available. */
  readonly least: number;
}

export function boundsOf({ spec }: Deployment): Bounds {
  const wished = spec?.replicas ?? 1;
  if (isRecreate(spec)) return { wished, most: wished, least: wished };
  const surge = podsOf(spec?.strategy?.rollingUpdate?.maxSurge ?? "25%", wished, Math.ceil);
  const asked = podsOf(spec?.strategy?.rollingUpdate?.maxUnavailable ?? "25%", wished, Math.floor);
  // With neither spare nor missing pods allowed nothing could ever move.
  const unavailable = Math.min(surge === 0 && asked === 0 ? 1 : asked, wished);
  return { wished, most: wished === 0 ? 0 : wished + surge, least: wished - unavailable };
}

export function isRecreate(spec: Deployment["spec"]): boolean {
  return spec?.strategy?.type === "Recreate";
}

function podsOf(value: number | string, of: number, round: (x: number) => number): number {
  const text = String(value);
  return text.endsWith("%") ? round((Number(text.slice(0, -1)) * of) / 100) : Number(text) || 0;
}

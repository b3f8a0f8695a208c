import { describe, expect, it } from "vitest";
import { startFigures, startWatch } from "./startTimes.js";

describe("a pod's first start", () => {
  it("is told once, step by step", () => {
    let nowMs = 1_000;
    const watch = startWatch(() => nowMs);
    const later = (ms: number, step: () => void) => {
      nowMs += ms;
      step();
    };
    later(2, watch.prepared);
    later(6, watch.initialized);
    later(3, () => watch.running(nowMs));
    later(40, () => watch.answered(nowMs));
    nowMs += 1;
    expect(watch.ready()).toEqual({ create: 2, files: 6, sandbox: 3, load: 40, probe: 1 });
    expect(watch.ready()).toBeUndefined();
  });

  it("has no load to tell of without a probe", () => {
    let nowMs = 0;
    const watch = startWatch(() => nowMs);
    watch.prepared();
    watch.initialized();
    nowMs = 5;
    watch.running(nowMs);
    expect(watch.ready()).toEqual({ create: 0, files: 0, sandbox: 5, load: 0, probe: 0 });
  });

  it("begins with the request that it was made for", () => {
    let nowMs = 103;
    const watch = startWatch(() => nowMs, 100);
    nowMs = 110;
    watch.running(nowMs);
    expect(watch.ready()).toMatchObject({ decide: 3, sandbox: 7 });
  });

  it("has loaded since its process runs, whenever that was heard", () => {
    let nowMs = 0;
    const watch = startWatch(() => nowMs);
    watch.prepared();
    watch.initialized();
    nowMs = 9;
    watch.running(2);
    watch.answered(nowMs);
    expect(watch.ready()).toEqual({ create: 0, files: 0, sandbox: 2, load: 7, probe: 0 });
  });

  it("is counted in the node's histograms", () => {
    const figures = startFigures();
    figures.observe({ create: 1, files: 6, sandbox: 2, load: 30, probe: 1 });
    figures.observe({ create: 1, files: 6, sandbox: 2, load: 300, probe: 1 });
    const lines = figures.lines();
    expect(lines.filter((line) => /load.*le="0.0[25]"|load.*Inf|_sum.*load|_count.*load/.test(line))).toEqual(
      [
        'drydock_pod_start_seconds_bucket{phase="load",le="0.02"} 0',
        'drydock_pod_start_seconds_bucket{phase="load",le="0.05"} 1',
        'drydock_pod_start_seconds_bucket{phase="load",le="+Inf"} 2',
        'drydock_pod_start_seconds_sum{phase="load"} 0.33',
        'drydock_pod_start_seconds_count{phase="load"} 2',
      ],
    );
    expect(lines).toContain('drydock_pod_start_seconds_bucket{phase="all",le="0.05"} 1');
    expect(lines).toContain('drydock_pod_start_seconds_count{phase="decide"} 0');
    figures.observe({ decide: 3, create: 1, files: 6, sandbox: 2, load: 30, probe: 1 });
    expect(figures.lines()).toContain('drydock_pod_start_seconds_sum{phase="decide"} 0.003');
    expect(figures.lines()).toContain('drydock_pod_start_seconds_count{phase="all"} 3');
  });
});

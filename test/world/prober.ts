// A gateway that is only asked: what it answers to a probe is made up, what that means is judged as in earnest.
import { judgeProbe, judgeProbes, type ProbeAnswer } from "../../src/domain/traffic/index.js";
import type { IngressProber, ProbeTarget } from "../../src/ports/index.js";

/** Undefined for an answer with the very configuration that was asked for. */
export type Answers = (target: ProbeTarget) => ProbeAnswer | undefined | Promise<ProbeAnswer | undefined>;

const ports = { external: 18080, local: 18081 };

export function proberOf(answers: Answers): IngressProber {
  return {
    probe: async ({ targets }) => {
      const verdict = judgeProbes(
        await Promise.all(
          targets.map(async (target) => {
            const port = ports[target.visibility];
            const asked = {
              url: `http://${target.host}:${port}/`,
              address: `127.0.0.1:${port}`,
              hash: target.hash,
            };
            return judgeProbe(asked, (await answers(target)) ?? { status: 200, hash: target.hash });
          }),
        ),
      );
      return verdict.outcome === "ready" ? verdict : { ...verdict, againMs: 1_000 };
    },
  };
}

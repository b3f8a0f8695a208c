import { it } from "vitest";
import { startWorld } from "./world.js";
it("try", async () => {
  const w = await startWorld();
  for (const c of ["version", "api-resources", "get ns", "create ns foo", "get ns -o wide","create cm a --from-literal=x=y", "get cm a -o yaml", "get all -A", "describe cm a", "label cm a q=r", "get cm -l q=r --show-labels", "delete cm a", "auth can-i get pods", "auth whoami", "create token default", "get --raw /metrics"]) {
    const r = await w.kubectl(c);
    console.log("$ kubectl " + c + "\n" + r.out + r.err);
  }
  console.log(w.failures.join("\n"));
  await w.close();
});

import { it } from "vitest";
import { isReady, kubeletWorld, script, shell } from "../../test/kubelet/harness.js";

it("bench", async () => {
  const world = await kubeletWorld();
  for (let i = 0; i < 8; i++) {
    const t0 = Date.now() ; const p0 = performance.timeOrigin + performance.now();
    await world.create({ name: `b${i}`, containers: [script("c", 'console.log(performance.timeOrigin);require("net").createServer(s=>s.end()).listen(process.env.PORT,()=>console.log(performance.timeOrigin+performance.now()))', { ports: [{ containerPort: 8080 }], readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 0 } })] });
    const pod = await world.until(`b${i}`, isReady);
    const r = performance.timeOrigin + performance.now();
    await new Promise((x) => setTimeout(x, 50));
    const [start, listen] = (await world.logs(pod)).trim().split("\n").map(Number);
    console.log(`created->process ${(start! - p0).toFixed(1)} ->listening ${(listen! - p0).toFixed(1)} ->Ready seen ${(r - p0).toFixed(1)} (listen->Ready ${(r - listen!).toFixed(1)})`);
    const d0 = performance.now();
    await world.remove(`b${i}`);
    await world.untilGone(`b${i}`);
    console.log("delete->gone", (performance.now() - d0).toFixed(1), "(lame duck 20)");
    void t0;
  }
  for (let i = 0; i < 5; i++) {
    const p0 = performance.timeOrigin + performance.now();
    await world.create({ name: `s${i}`, containers: [shell("c", "date +%s%N; sleep 100")] });
    const pod = await world.until(`s${i}`, isReady);
    const r = performance.timeOrigin + performance.now();
    await new Promise((x) => setTimeout(x, 50));
    const start = Number((await world.logs(pod)).trim()) / 1e6;
    console.log(`sh: created->running program ${(start - p0).toFixed(1)} ready ${(r - p0).toFixed(1)}`);
  }
  const p0 = performance.now();
  await Promise.all(Array.from({ length: 50 }, (_x, i) => world.create({ name: `m${i}`, containers: [shell("c", "sleep 100")] })));
  await Promise.all(Array.from({ length: 50 }, (_x, i) => world.until(`m${i}`, isReady, 30000)));
  console.log("50 pods ready", performance.now() - p0);
  const c0 = performance.now();
  await world.close();
  console.log("close 55 pods", performance.now() - c0, process.memoryUsage().rss / 1e6);
}, 120000);

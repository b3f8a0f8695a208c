// Counts who has heard of which write. Marks on stdout let the caller account CPU for each part.

export function observe({ watchers, rate, ms }, write) {
  const heardBy = [];
  const lastAt = [];
  const whenAll = [];

  function watcher() {
    let next = 0;
    return () => {
      const n = next++;
      heardBy[n] = (heardBy[n] ?? 0) + 1;
      if (heardBy[n] < watchers) return;
      lastAt[n] = performance.now();
      whenAll[n]?.();
    };
  }
  const all = (n) =>
    new Promise((done) => {
      if (lastAt[n] !== undefined) return done();
      whenAll[n] = done;
    });
  const mark = (name) => process.stdout.write(`${name}\n`);

  async function run() {
    let n = 0;
    const once = async () => {
      const mine = n++;
      await write(mine + 1);
      const acknowledged = performance.now();
      await all(mine);
      return Math.max(0, lastAt[mine] - acknowledged);
    };
    // Warm: the first events find nothing compiled.
    for (let times = 0; times < 10; times += 1) await once();

    mark("paced");
    const late = [];
    const began = performance.now();
    const under = [];
    for (let at = 0; at * (1000 / rate) < ms; at += 1) {
      const ahead = began + at * (1000 / rate) - performance.now();
      if (ahead > 0) await new Promise((done) => setTimeout(done, ahead));
      under.push(once().then((one) => late.push(one)));
    }
    await Promise.all(under);

    mark("flat");
    const flatBegan = performance.now();
    let flatEvents = 0;
    while (performance.now() - flatBegan < ms) {
      await once();
      flatEvents += watchers;
    }
    const flatMs = performance.now() - flatBegan;
    mark("done");
    late.sort((one, other) => one - other);
    const at = (share) => late[Math.min(late.length - 1, Math.floor(late.length * share))];
    const flatPerSecond = (flatEvents / flatMs) * 1000;
    mark(JSON.stringify({ flatEvents, flatPerSecond, p50: at(0.5), p99: at(0.99) }));
  }

  return { watcher, run };
}

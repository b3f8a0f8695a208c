// Which ready pod takes a request: one with the fewest requests in flight, ties broken by one roll of the dice.

/** Past this many pods a full scan costs more than it gains over the better of two drawn at random. */
const SCAN_LIMIT = 32;

/** The pods must differ from `except`, the one that has just refused; with none left there is no target. */
export function pickLeastLoaded<T>(
  targets: readonly T[],
  loadOf: (target: T) => number,
  random: () => number,
  except?: T,
): T | undefined {
  const count = targets.length;
  if (count === 1) return targets[0] === except ? undefined : targets[0];
  if (count > SCAN_LIMIT) return betterOfTwo(targets, loadOf, random, except);

  let least = Number.POSITIVE_INFINITY;
  let ties = 0;
  let first: T | undefined;
  for (const target of targets) {
    if (target === except) continue;
    const load = loadOf(target);
    if (load < least) {
      least = load;
      ties = 1;
      first = target;
    } else if (load === least) ties += 1;
  }
  if (ties < 2) return first;

  let skip = Math.floor(random() * ties);
  for (const target of targets) {
    if (target === except || loadOf(target) !== least) continue;
    if (skip === 0) return target;
    skip -= 1;
  }
  return first;
}

function betterOfTwo<T>(
  targets: readonly T[],
  loadOf: (target: T) => number,
  random: () => number,
  except: T | undefined,
): T | undefined {
  const one = draw(targets, random, except);
  const other = draw(targets, random, except);
  return loadOf(other) < loadOf(one) ? other : one;
}

function draw<T>(targets: readonly T[], random: () => number, except: T | undefined): T {
  const at = Math.min(Math.floor(random() * targets.length), targets.length - 1);
  const drawn = targets[at] as T;
  return drawn === except ? (targets[(at + 1) % targets.length] as T) : drawn;
}

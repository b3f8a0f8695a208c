// Chance that a seed can bring back.

/** Numbers from 0 up to 1 (mulberry32). */
export function makeDice(seed) {
  let state = seed >>> 0;
  const roll = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    upTo: (limit) => Math.floor(roll() * limit),
    chance: (share) => roll() < share,
    /** One of the names, each as often as its weight says. */
    pick(weights) {
      const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
      let left = roll() * total;
      for (const [name, weight] of Object.entries(weights)) {
        left -= weight;
        if (left < 0) return name;
      }
      return Object.keys(weights).at(-1);
    },
  };
}

/**
 * One seed for every random test, so that a change that passed passes again. DRYDOCK_SEED explores: a number, or
 * `any` for a new one each time. A failure prints its seed.
 */
import fc from "fast-check";

const asked = process.env["DRYDOCK_SEED"];
if (asked !== "any") fc.configureGlobal({ seed: Number(asked ?? 20_260_101) });

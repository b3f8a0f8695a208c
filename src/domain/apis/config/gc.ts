// config-gc: how many Revisions nobody uses any more are kept, and for how long.
import { milliseconds, type Parsed, parseDuration, parseInt64 } from "./goText.js";
import type { GcConfig } from "./servingConfig.types.js";
import { type Fault, type Reader, readers, setting, settingsMap } from "./settings.js";

const disabled = undefined;

export const gcMap = settingsMap({
  name: "config-gc",
  component: "controller",
  settings: {
    sinceCreate: setting(
      "retain-since-create-time",
      "48h",
      unlessDisabled("48h", parseDuration),
      "How long a Revision is kept after it was made, or disabled.",
    ),
    sinceActive: setting(
      "retain-since-last-active-time",
      "15h",
      unlessDisabled("15h", parseDuration),
      "How long a Revision is kept after a Route last used it, or disabled.",
    ),
    least: setting(
      "min-non-active-revisions",
      "20",
      readers().int64,
      "How many unused Revisions are kept whatever their age.",
    ),
    most: setting(
      "max-non-active-revisions",
      "1000",
      unlessDisabled("1000", parseInt64),
      "How many unused Revisions are kept at most, or disabled.",
    ),
  },
  check({ least, most }) {
    const faults: Fault[] = [];
    if (least < 0) {
      faults.push({
        keys: ["min-non-active-revisions"],
        message: `min-non-active-revisions must be non-negative, was: ${least}`,
      });
    } else if (most !== disabled && least > most) {
      faults.push({
        keys: ["min-non-active-revisions", "max-non-active-revisions"],
        message: `min-non-active-revisions(${least}) must be <= max-non-active-revisions(${most})`,
      });
    }
    return faults;
  },
  shape: (read): GcConfig => ({
    retainSinceCreateTimeMs: read.sinceCreate === disabled ? undefined : milliseconds(read.sinceCreate),
    retainSinceLastActiveTimeMs: read.sinceActive === disabled ? undefined : milliseconds(read.sinceActive),
    minNonActiveRevisions: read.least,
    maxNonActiveRevisions: read.most,
  }),
});

/** An empty text leaves the default, as upstream has it. */
function unlessDisabled<T extends number | bigint>(
  standard: string,
  parse: (text: string) => Parsed<T>,
): Reader<T | undefined> {
  return (text, key) => {
    if (text.toLowerCase() === "disabled") return { value: disabled };
    const parsed = parse(text === "" ? standard : text);
    if ("because" in parsed) return { fault: `failed to parse ${key}: ${parsed.because}` };
    return parsed.value < 0 ? { fault: `failed to parse ${key}: must be non-negative` } : parsed;
  };
}

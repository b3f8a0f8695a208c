// One row per reason, and five things joined by it: the code that says it, scenarios, their goldens, its page, its words.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Reconciler } from "../src/controller/index.js";
import { readServingConfig } from "../src/domain/apis/config/index.js";
import { type Reason, reasons } from "../src/domain/apis/reasons.js";
import { servingReconcilers } from "../src/reconcilers/serving/index.js";
import { root, sourceFiles } from "./sources.js";
import { makeWorld, noScaling } from "./world/index.js";

/** Where status comes from. Other rooms have reasons of their own: of API answers, of the gateway's errors. */
const rooms = /^(reconcilers|kubelet|domain\/(autoscaling|diagnosis|traffic|runtimes))\//;

const spelled: readonly RegExp[] = [
  /\b(?:no|unknown|waiting|progressing)\(\s*"([^"]+)"/g,
  /\b(?:no|unknown)\([^"()]*\? "([^"]+)" : "([^"]+)"/g,
  /\bsummed\(\w+, "([^"]+)"/g,
  /\breason: (?:[^\n"`{]*\? )?"([^"]+)"(?: : (?:[^\n"]*\? "([^"]+)" : )?"([^"]+)")?/g,
  /\breason \|\| "([^"]+)"/g,
  /Reasons = new Set\(\[([^\]]+)\]/g,
  /hasInit \? "([^"]+)" : "([^"]+)"/g,
];

/** Put together in the code, or given by the node: the text that proves it is said. */
const composed: Readonly<Record<string, string>> = {
  ExitCode: "`ExitCode${",
  ConfigurationMissing: `\`\${kind}Missing\``,
  Evicted: "pod.status.reason",
};

const sources = sourceFiles()
  .filter((file) => rooms.test(file) && !file.endsWith(".test.ts"))
  .map((file) => readFileSync(join(root, "src", file), "utf8"));

function said(): ReadonlySet<string> {
  const found = sources.flatMap((text) =>
    spelled.flatMap((form) =>
      [...text.matchAll(form)].flatMap((match) =>
        match.slice(1).flatMap((group) => (group ?? "").split(/"\s*,\s*"|^\s*"|",?\s*$/)),
      ),
    ),
  );
  return new Set(
    found.filter((word) => /^[A-Z]/.test(word) && !["True", "False", "Succeeded", "Failed"].includes(word)),
  );
}

const home = join(root, "test/scenarios");
const folders = readdirSync(home, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** What a scenario's goldens say, pods' own words included. */
function golden(name: string): string {
  return readFileSync(join(home, name, "status.yaml"), "utf8");
}

const scenariosOf = ({ scenarios }: Reason) => ("none" in scenarios ? [] : scenarios);
const named = new Set(reasons.map(({ reason }) => reason));
const nameOf = (reason: string) => reason.replace(/^(ExitCode)\d+$/, "$1");

describe("the catalogue of reasons", () => {
  it("has every reason that the code says, and none besides", () => {
    const words = said();
    expect([...words].filter((word) => !named.has(word)).sort(), "said, and not in the catalogue").toEqual(
      [],
    );
    const unsaid = reasons
      .map(({ reason }) => reason)
      .filter((reason) => {
        const proof = composed[reason];
        return proof === undefined ? !words.has(reason) : !sources.some((text) => text.includes(proof));
      });
    expect(unsaid, "in the catalogue, and never said").toEqual([]);
  });

  it("has each reason once, with its own sentences", () => {
    expect(reasons.length).toBe(named.size);
    for (const { reason, on, means, seen, todo } of reasons) {
      expect([reason, on.length > 0], reason).toEqual([reason, true]);
      for (const text of [means, seen, todo]) expect(text, reason).toMatch(/^[A-Za-z`].*\.$/s);
    }
  });

  it.each(reasons.map((one) => [one.reason, one] as const))(
    "shows %s in its scenarios, or says why not",
    (_, one) => {
      if ("none" in one.scenarios) expect(one.scenarios.none).toMatch(/\.$/);
      else expect(one.scenarios.length).toBeGreaterThan(0);
      for (const name of scenariosOf(one)) {
        expect(folders, `${one.reason} names a scenario`).toContain(name);
        expect(golden(name), `${name} shows ${one.reason}`).toMatch(new RegExp(`\\b${one.reason}(\\d+)?\\b`));
      }
    },
  );

  it("knows every reason that a scenario shows", () => {
    const shown = folders.flatMap((name) =>
      [...golden(name).matchAll(/: ['"]?(?:True|False|Unknown) ([A-Z]\w+)(?=[:( ])/g)].map((match) =>
        nameOf(match[1] ?? ""),
      ),
    );
    // Words that a sentence as reason begins with.
    const whole = [...named].map((reason) => reason.split(" ")[0] ?? "");
    expect([...new Set(shown)].filter((reason) => !whole.includes(reason))).toEqual([]);
  });

  it("is behind every scenario: none stands for nothing", () => {
    const used = new Set(reasons.flatMap(scenariosOf));
    const loose = folders.filter((name) => !used.has(name) && !aboutHealth.has(name));
    expect(loose).toEqual([]);
  });
});

/** They end well, or tell of a reason that another tells first. */
const aboutHealth: ReadonlySet<string> = new Set([
  "healed",
  "revision-not-ready",
  "rollout-replaced-by-failing-revision",
]);

/** Reasons at a Ready that users look at, without a scenario: the catalogue says why of each. */
const excused = [
  "CertificateExternallyProvided",
  "CreateContainerError",
  "DeadlineExceeded",
  "EngineAway",
  "HTTPDowngrade",
  "Manual",
  "OutOfDate",
  "PodFailed",
  "RunContainerError",
  "TrafficNotMigrated",
];

const looked =
  /^(InferenceService|Service|Configuration|Revision|Route|DomainMapping) (?!Active|RolloutInProgress|modelStatus)/;

it("excuses few of the reasons that users see at Ready from having a scenario", () => {
  const found = reasons.filter(
    ({ on, scenarios }) => "none" in scenarios && on.some((one) => looked.test(one)),
  );
  expect(found.map(({ reason }) => reason).sort()).toEqual(excused);
});

describe("docs/conditions.md", () => {
  it("is what catalogue and reconcilers say (npm run golden rewrites it)", async () => {
    const world = await makeWorld();
    const reconcilers = servingReconcilers({
      ...world.deps,
      digests: { digestOf: never },
      prober: { probe: never },
      ...noScaling,
      settings: () => ({ domain: "localhost", externalPort: 80 }),
      config: () => readServingConfig(() => undefined),
    });
    await world.close();
    await expect(page(reconcilers)).toMatchFileSnapshot("../docs/conditions.md");
  });
});

async function never(): Promise<never> {
  throw new Error("nothing is reconciled here");
}

function page(reconcilers: readonly Reconciler[]): string {
  return `# Conditions and their reasons

Every object that can fail says so in \`status.conditions\`. \`kubectl get\` shows \`Ready\` and its reason; \`kubectl describe\`
shows all of them, with messages and events.

## How Ready comes about

\`Ready\` is never set by hand. Of the conditions below, in that order, it is the first that is False; if none is, the first that
is Unknown; else True. The order is that of causes, so the top line names the cause and not its consequence. Reason and
message climb unchanged: from the pod to its Revision, Configuration, Service and InferenceService.

- **False** is a failure. It stays until something disproves it: a pod that serves, a refusal that is no longer said.
- **Unknown** is work under way.
- A cause outlives the pod that showed it, and the scale to zero that follows.
- A failure after the first Ready turns Ready False, and True again when it heals; events keep the history.
- While a newer Revision fails, the older one keeps the traffic: \`RoutesReady\` stays True, \`ConfigurationsReady\` and \`Ready\` say why.
- Conditions of severity Info (in brackets) never count.
- \`lastTransitionTime\` changes with the status alone. \`observedGeneration\` says which wish the status is about.

## Conditions of each kind

| kind | counted for Ready, causes first | told beside |
| --- | --- | --- |
${reconcilers.flatMap(rowOf).join("\n")}

A Build runs to completion: \`Succeeded\` is its happy state, and \`Failed\` stands beside it when that is False.

## Reasons

${[...reasons]
  .sort((a, b) => (a.reason < b.reason ? -1 : 1))
  .map(section)
  .join("\n\n")}
`;
}

function rowOf({ kind, conditions }: Reconciler): readonly string[] {
  if (conditions === undefined) return [];
  const counted = conditions.ready.map(
    (type) => `\`${type}\`${conditions.ifMarked?.includes(type) ? " (if it applies)" : ""}`,
  );
  const beside = (conditions.info ?? []).map((type) => `\`${type}\``);
  return [`| ${kind.kind} (${kind.group}) | ${counted.join(", ")} | ${beside.join(", ")} |`];
}

function section({ reason, on, means, seen, todo, scenarios }: Reason): string {
  const shown =
    "none" in scenarios
      ? `no scenario. ${scenarios.none}`
      : scenarios.map((name) => `\`test/scenarios/${name}\``).join(", ");
  return [
    `### ${reason}`,
    "",
    `On ${on.join(", ")}.`,
    "",
    `- **Means**: ${means}`,
    `- **Seen**: ${seen}`,
    `- **To do**: ${todo}`,
    `- **Shown by**: ${shown}`,
  ].join("\n");
}

// config-deployment: how Revisions become Deployments, and how long their images and pods may take.

import { nameProblems } from "../names/index.js";
import { present } from "./defaults.js";
import { durationText, milliseconds, type Parsed } from "./goText.js";
import { labelSelection } from "./selection.js";
import type { DeploymentConfig } from "./servingConfig.types.js";
import {
  type Fault,
  optional,
  type Reader,
  type Reading,
  readers,
  setting,
  settingsMap,
} from "./settings.js";
import { tlsCurves, tlsSuites, tlsVersion } from "./tlsNames.js";
import { parseYaml } from "./yaml.js";

const { bool, duration, quantity, text, texts } = readers();
const version = named(tlsVersion);

export const deploymentMap = settingsMap({
  name: "config-deployment",
  component: "controller",
  settings: {
    image: setting(
      "queue-sidecar-image",
      "drydock/queue",
      text,
      "The image of the queue-proxy beside each model.",
      "queueSidecarImage",
    ),
    skipped: setting(
      "registries-skipping-tag-resolving",
      "kind.local,ko.local,dev.local",
      texts,
      "Registries, between commas, whose tags are used as they are instead of being resolved to a digest.",
      "registriesSkippingTagResolving",
    ),
    digestTimeout: setting(
      "digest-resolution-timeout",
      "10s",
      duration,
      "How long resolving one tag to its digest may take.",
      "digestResolutionTimeout",
    ),
    deadline: setting(
      "progress-deadline",
      "120s",
      duration,
      "How long a Deployment may go without progress before its Revision is called failed.",
      "progressDeadline",
    ),
    cpuRequest: setting(
      "queue-sidecar-cpu-request",
      "25m",
      quantity,
      "CPU the queue-proxy asks for.",
      "queueSidecarCPURequest",
    ),
    cpuLimit: optional(
      "queue-sidecar-cpu-limit",
      quantity,
      "CPU the queue-proxy may not exceed.",
      "queueSidecarCPULimit",
    ),
    memoryRequest: optional(
      "queue-sidecar-memory-request",
      quantity,
      "Memory the queue-proxy asks for.",
      "queueSidecarMemoryRequest",
    ),
    memoryLimit: optional(
      "queue-sidecar-memory-limit",
      quantity,
      "Memory the queue-proxy may not exceed.",
      "queueSidecarMemoryLimit",
    ),
    storageRequest: optional(
      "queue-sidecar-ephemeral-storage-request",
      quantity,
      "Scratch space the queue-proxy asks for.",
      "queueSidecarEphemeralStorageRequest",
    ),
    storageLimit: optional(
      "queue-sidecar-ephemeral-storage-limit",
      quantity,
      "Scratch space the queue-proxy may not exceed.",
      "queueSidecarEphemeralStorageLimit",
    ),
    audiences: setting(
      "queue-sidecar-token-audiences",
      "",
      texts,
      "Whom the queue-proxy gets service account tokens for, between commas.",
    ),
    rootCa: setting("queue-sidecar-rootca", "", text, "Certificates the queue-proxy trusts, as PEM."),
    tlsMin: setting("queue-sidecar-tls-min-version", "", version, "The oldest TLS the queue-proxy speaks."),
    tlsMax: setting("queue-sidecar-tls-max-version", "", version, "The newest TLS the queue-proxy speaks."),
    tlsCiphers: setting(
      "queue-sidecar-tls-cipher-suites",
      "",
      named(tlsSuites),
      "The cipher suites it may use, between commas.",
    ),
    tlsCurves: setting(
      "queue-sidecar-tls-curve-preferences",
      "",
      named(tlsCurves),
      "The curves it prefers, between commas.",
    ),
    affinity: setting(
      "default-affinity-type",
      "prefer-spread-revision-over-nodes",
      affinity,
      "Whether pods of a Revision prefer different nodes (prefer-spread-revision-over-nodes) or not (none).",
    ),
    runtimeClasses: setting(
      "runtime-class-name",
      "",
      runtimeClasses,
      "As YAML: each runtime class with the selector of the Revisions that run in it.",
    ),
    alwaysSchedulable: setting(
      "pod-is-always-schedulable",
      "false",
      bool,
      "Whether a pod without a node is only a matter of time, as where nodes come on demand.",
    ),
  },
  check({ image, deadline, digestTimeout, tlsMin, tlsMax }) {
    const faults: Fault[] = [];
    if (tlsMin !== undefined && tlsMax !== undefined && tlsMin > tlsMax) {
      const keys = ["queue-sidecar-tls-min-version", "queue-sidecar-tls-max-version"];
      faults.push({ keys, message: keys.join(" is above ") });
    }
    if (image === "") {
      faults.push({ keys: ["queue-sidecar-image"], message: "queue-sidecar-image cannot be empty or unset" });
    }
    if (deadline <= 0n) faults.push(notPositive("progress-deadline", deadline));
    else if (deadline % 1_000_000_000n !== 0n) {
      faults.push({
        keys: ["progress-deadline"],
        message: `progress-deadline must be rounded to a whole second, was: ${durationText(deadline)}`,
      });
    }
    if (digestTimeout <= 0n) faults.push(notPositive("digest-resolution-timeout", digestTimeout));
    return faults;
  },
  shape: (read): DeploymentConfig => ({
    queueSidecarImage: read.image,
    queueSidecarResources: present({
      "cpu-request": read.cpuRequest,
      "cpu-limit": read.cpuLimit,
      "memory-request": read.memoryRequest,
      "memory-limit": read.memoryLimit,
      "ephemeral-storage-request": read.storageRequest,
      "ephemeral-storage-limit": read.storageLimit,
    }),
    registriesSkippingTagResolving: read.skipped,
    digestResolutionTimeoutMs: milliseconds(read.digestTimeout),
    progressDeadlineSeconds: milliseconds(read.deadline) / 1000,
    queueSidecarTokenAudiences: read.audiences,
    defaultAffinityType: read.affinity,
    runtimeClassNames: read.runtimeClasses,
    podIsAlwaysSchedulable: read.alwaysSchedulable,
  }),
});

/** Where config-features has queueproxy.resource-defaults on, for what the ConfigMap leaves open. */
export const queueResourceDefaults: { readonly [name: string]: string } = {
  "cpu-limit": "1",
  "memory-request": "400Mi",
  "memory-limit": "800Mi",
};

function notPositive(key: string, was: bigint): Fault {
  return { keys: [key], message: `${key} cannot be a non-positive duration, was ${durationText(was)}` };
}

type Affinity = DeploymentConfig["defaultAffinityType"];

function affinity(word: string): Reading<Affinity> {
  return word === "none" || word === "prefer-spread-revision-over-nodes"
    ? { value: word }
    : { fault: `unsupported default-affinity-type value: ${JSON.stringify(word)}` };
}

function runtimeClasses(source: string, key: string): Reading<DeploymentConfig["runtimeClassNames"]> {
  const refused = (why: string) => ({ fault: `${key} cannot be parsed, please check the format: ${why}` });
  const parsed = parseYaml(source);
  if ("because" in parsed) return refused(parsed.because);
  const classes = parsed.value ?? {};
  if (typeof classes !== "object" || Array.isArray(classes)) {
    return refused("expected a map from runtime class to its selector");
  }
  const found: { readonly name: string; readonly selector: { readonly [label: string]: string } }[] = [];
  for (const [name, given] of Object.entries(classes)) {
    const [problem] = nameProblems("subdomain", name);
    if (problem !== undefined) return { fault: `${key} name ${name}: ${problem}` };
    const selection = labelSelection(given);
    if ("because" in selection) return refused(`${name}: ${selection.because}`);
    found.push({ name, selector: selection.value.selector });
  }
  return { value: found };
}

/** What a queue-proxy would refuse at its start is refused as it is written. */
function named<T>(parse: (text: string) => Parsed<T>): Reader<T> {
  return (given, key) => {
    const parsed = parse(given);
    return "value" in parsed ? parsed : { fault: `${key}: ${parsed.because}` };
  };
}

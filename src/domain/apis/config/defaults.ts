// config-defaults: what a Revision gets when its author says nothing.
import { parseTemplate, type Template } from "./goTemplate.js";
import type { DefaultsConfig } from "./servingConfig.types.js";
import { type Fault, optional, type Reader, readers, setting, settingsMap } from "./settings.js";

const { int64, bool, quantity } = readers();

const maxInt32 = 2_147_483_647;

export const defaultsMap = settingsMap({
  name: "config-defaults",
  component: "controller",
  settings: {
    timeout: setting("revision-timeout-seconds", "300", int64, "Seconds a request may take as a whole."),
    maxTimeout: setting(
      "max-revision-timeout-seconds",
      "600",
      int64,
      "The most seconds a Revision may ask for.",
    ),
    responseStart: optional(
      "revision-response-start-timeout-seconds",
      int64,
      "Seconds until the first byte of an answer; when absent, as long as the whole request may take.",
    ),
    idle: setting(
      "revision-idle-timeout-seconds",
      "0",
      int64,
      "Seconds an answer may pause between bytes; 0 is without limit.",
    ),
    cpuRequest: optional("revision-cpu-request", quantity, "CPU each container asks for."),
    memoryRequest: optional("revision-memory-request", quantity, "Memory each container asks for."),
    storageRequest: optional(
      "revision-ephemeral-storage-request",
      quantity,
      "Scratch space each container asks for.",
    ),
    cpuLimit: optional("revision-cpu-limit", quantity, "CPU no container may exceed."),
    memoryLimit: optional("revision-memory-limit", quantity, "Memory no container may exceed."),
    storageLimit: optional(
      "revision-ephemeral-storage-limit",
      quantity,
      "Scratch space no container may exceed.",
    ),
    containerName: setting(
      "container-name-template",
      "user-container",
      nameTemplate,
      "What a container without a name is called; {{.Name}} is the Service's or Configuration's.",
    ),
    initContainerName: setting(
      "init-container-name-template",
      "init-container",
      nameTemplate,
      "The same for init containers.",
    ),
    concurrency: setting(
      "container-concurrency",
      "0",
      int64,
      "Requests a pod takes at once; 0 is without limit.",
    ),
    maxConcurrency: setting(
      "container-concurrency-max-limit",
      "1000",
      int64,
      "The most that a Revision may say.",
    ),
    allowZero: setting("allow-container-concurrency-zero", "true", bool, "Whether a Revision may say 0."),
    serviceLinks: setting(
      "enable-service-links",
      "false",
      serviceLinks,
      "Whether pods get an environment variable per Service; `default` leaves it to Kubernetes.",
    ),
  },
  check(read) {
    const { timeout, maxTimeout, responseStart = timeout, idle, concurrency, maxConcurrency } = read;
    return [
      ...notGreater("revision-timeout-seconds", timeout, "max-revision-timeout-seconds", maxTimeout),
      ...(responseStart > 0
        ? notGreater(
            "revision-response-start-timeout-seconds",
            responseStart,
            "revision-timeout-seconds",
            timeout,
          )
        : []),
      ...(idle > 0
        ? notGreater("revision-idle-timeout-seconds", idle, "revision-timeout-seconds", timeout)
        : []),
      ...within("container-concurrency-max-limit", 1, maxConcurrency, maxInt32),
      ...within("container-concurrency", 0, concurrency, maxConcurrency),
    ];
  },
  shape: (read): DefaultsConfig => ({
    revisionTimeoutSeconds: read.timeout,
    maxRevisionTimeoutSeconds: read.maxTimeout,
    revisionResponseStartTimeoutSeconds: read.responseStart ?? read.timeout,
    revisionIdleTimeoutSeconds: read.idle,
    requests: present({
      cpu: read.cpuRequest,
      memory: read.memoryRequest,
      "ephemeral-storage": read.storageRequest,
    }),
    limits: present({
      cpu: read.cpuLimit,
      memory: read.memoryLimit,
      "ephemeral-storage": read.storageLimit,
    }),
    containerNameTemplate: read.containerName,
    initContainerNameTemplate: read.initContainerName,
    containerConcurrency: read.concurrency,
    containerConcurrencyMaxLimit: read.maxConcurrency,
    allowContainerConcurrencyZero: read.allowZero,
    enableServiceLinks: read.serviceLinks === "default" ? undefined : read.serviceLinks === "true",
  }),
});

function notGreater(key: string, value: number, bound: string, most: number): readonly Fault[] {
  if (value <= most) return [];
  return [{ keys: [key, bound], message: `${key} (${value}) cannot be greater than ${bound} (${most})` }];
}

function within(key: string, least: number, value: number, most: number): readonly Fault[] {
  if (value >= least && value <= most) return [];
  return [{ keys: [key], message: `expected ${least} <= ${value} <= ${most}: ${key}` }];
}

function serviceLinks(text: string): { readonly value: "true" | "false" | "default" } {
  const word = text.toLowerCase();
  return { value: word === "true" || word === "false" ? word : "default" };
}

/** The parent's metadata, without anything in it. */
const nobody = {
  ...{ Name: "", GenerateName: "", Namespace: "", UID: "", ResourceVersion: "" },
  ...{ Labels: {}, Annotations: {} },
};

function nameTemplate(text: string, key: string): ReturnType<Reader<string>> {
  const template = parseTemplate("container-template", text);
  if ("because" in template) return { fault: `${key}: ${template.because}` };
  const tried = (template.value satisfies Template).render(nobody);
  return "because" in tried
    ? { fault: `${key}: error executing template: ${tried.because}` }
    : { value: text };
}

/** Only what is there. */
export function present(all: { readonly [name: string]: string | undefined }): {
  readonly [name: string]: string;
} {
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

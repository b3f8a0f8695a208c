// Which volumes there may be, and how they are mounted (knative-serving.md, section 1.7.5).
import type { FeaturesConfig, Flag } from "../config/index.js";
import type { PodSpec } from "../core/pod.types.js";
import type { DownwardAPIVolumeFile, KeyToPath, Volume, VolumeMount } from "../core/volume.types.js";
import { labelProblems } from "../names/index.js";
import { compareQuantities } from "../quantity/index.js";
import {
  disallowed,
  disallowedFields,
  fault,
  invalidValue,
  type KnativeErrors,
  missing,
  missingOneOf,
  multipleOneOf,
  under,
} from "./knativeError.js";

/** The sources that are behind a flag, and how the complaint about each begins. */
const gated = {
  emptyDir: ["volumesEmptyDir", "EmptyDir"],
  persistentVolumeClaim: ["persistentVolumeClaim", ""],
  hostPath: ["volumesHostPath", "HostPath"],
  csi: ["volumesCsi", "CSI"],
  ephemeral: ["volumesEphemeral", "Ephemeral"],
  image: ["volumesImage", "Image"],
} as const satisfies { readonly [source: string]: readonly [keyof FeaturesConfig, string] };

const gatedSources = Object.keys(gated) as readonly (keyof typeof gated)[];
const openSources = ["secret", "configMap", "projected"] as const;
/** Those whose mounts may be written to. */
const writable = ["emptyDir", "persistentVolumeClaim", "ephemeral"] as const;

function flagOf(source: keyof typeof gated, features: FeaturesConfig): Flag {
  return features[gated[source][0]];
}

export function validateVolumes(spec: PodSpec, features: FeaturesConfig): KnativeErrors {
  const volumes = spec.volumes ?? [];
  const mounted = new Set(
    [...spec.containers, ...(spec.initContainers ?? [])].flatMap((container) =>
      (container.volumeMounts ?? []).map((mount) => mount.name),
    ),
  );
  return volumes.flatMap((volume, index) => {
    const name = JSON.stringify(volume.name ?? "");
    const repeated = volumes.findIndex((one) => one.name === volume.name) < index;
    return under(index, [
      ...(repeated ? fault(`duplicate volume name ${name}`, ["name"]) : []),
      ...(mounted.has(volume.name) ? [] : fault(`volume with name ${name} not mounted`, ["name"])),
      ...validateVolume(volume, features),
    ]);
  });
}

function validateVolume(volume: Volume, features: FeaturesConfig): KnativeErrors {
  const { name, ...sources } = volume;
  const specified = [...openSources, ...gatedSources].filter((source) => volume[source] !== undefined);
  const admitted = new Set<string>([
    ...openSources,
    ...gatedSources.filter((source) => flagOf(source, features) !== "disabled"),
  ]);
  const offered = [
    ...openSources,
    ...gatedSources.filter((source) => flagOf(source, features) === "enabled"),
  ];
  return [
    // A volume that cannot be named is told only that.
    ...(validateVolumeName(name) ?? validateGates(volume, features)),
    ...disallowedFields(sources, admitted),
    ...(volume.secret?.items ?? []).flatMap((item, index) => under(["items", index], validateItem(item))),
    ...(volume.configMap?.items ?? []).flatMap((item, index) => under(["items", index], validateItem(item))),
    ...(volume.projected?.sources ?? []).flatMap((source, index) =>
      under(["projected", index], validateProjection(source)),
    ),
    ...under("emptyDir", validateEmptyDir(volume.emptyDir)),
    ...under("image", validateImage(volume.image)),
    ...(specified.length === 0 ? missingOneOf(...offered) : []),
    ...(specified.length > 1 ? multipleOneOf(...specified) : []),
  ];
}

function validateVolumeName(name: string | undefined): KnativeErrors | undefined {
  if (!name) return missing("name");
  return labelProblems(name).length > 0 ? invalidValue(name, "name") : undefined;
}

function validateGates(volume: Volume, features: FeaturesConfig): KnativeErrors {
  const closed = gatedSources.flatMap((source) => {
    if (volume[source] === undefined || flagOf(source, features) === "enabled") return [];
    const what = gated[source][1];
    return fault(
      what === ""
        ? `Persistent volume claim support is disabled, but found persistent volume claim ${volume.persistentVolumeClaim?.claimName ?? ""}`
        : `${what} volume support is disabled, but found ${what} volume ${volume.name}`,
    );
  });
  const claim = volume.persistentVolumeClaim;
  const written =
    claim !== undefined && claim.readOnly !== true && features.persistentVolumeWrite !== "enabled"
      ? fault(
          `Persistent volume write support is disabled, but found persistent volume claim ${claim.claimName ?? ""} that is not read-only`,
        )
      : [];
  return [...closed, ...written];
}

function validateItem({ key, path }: Partial<KeyToPath>): KnativeErrors {
  return [...(key ? [] : missing("key")), ...(path ? [] : missing("path"))];
}

type Projection = NonNullable<NonNullable<Volume["projected"]>["sources"]>[number];
const projections = ["secret", "configMap", "serviceAccountToken", "downwardAPI"] as const;

function validateProjection(source: Projection): KnativeErrors {
  const specified = projections.filter((name) => source[name] !== undefined);
  const { secret, configMap, serviceAccountToken, downwardAPI } = source;
  const files = downwardAPI?.items ?? [];
  return [
    ...under("secret", validateNamed(secret)),
    ...under("configMap", validateNamed(configMap)),
    ...(serviceAccountToken !== undefined && !serviceAccountToken.path
      ? missing("serviceAccountToken.path")
      : []),
    ...files.flatMap((file, index) => under(["downwardAPI", "items", index], validateFile(file))),
    ...(specified.length === 0 ? missingOneOf(...projections) : []),
    ...(specified.length > 1 ? multipleOneOf(...specified) : []),
  ];
}

function validateNamed(
  source:
    | { readonly name?: string | undefined; readonly items?: readonly KeyToPath[] | undefined }
    | undefined,
): KnativeErrors {
  if (source === undefined) return [];
  return [
    ...(source.name ? [] : missing("name")),
    ...(source.items ?? []).flatMap((item, index) => under(["items", index], validateItem(item))),
  ];
}

function validateFile({ path, fieldRef, resourceFieldRef }: Partial<DownwardAPIVolumeFile>): KnativeErrors {
  const neither = fieldRef === undefined && resourceFieldRef === undefined;
  const both = fieldRef !== undefined && resourceFieldRef !== undefined;
  return [
    ...(neither ? missingOneOf("fieldRef", "resourceFieldRef") : []),
    ...(both ? fault("Within a single item, cannot set both", ["resourceFieldRef", "fieldRef"]) : []),
    ...(path ? [] : missing("path")),
  ];
}

function validateEmptyDir(directory: Volume["emptyDir"]): KnativeErrors {
  const { medium = "", sizeLimit } = directory ?? {};
  return [
    ...(medium === "" || medium === "Memory" ? [] : invalidValue(medium, "medium")),
    ...(sizeLimit !== undefined && compareQuantities(sizeLimit, 0) < 0
      ? invalidValue(sizeLimit, "sizeLimit")
      : []),
  ];
}

function validateImage(image: Volume["image"]): KnativeErrors {
  if (image === undefined) return [];
  const { reference, pullPolicy = "" } = image;
  return [
    ...(reference ? [] : missing("reference")),
    ...(["", "Always", "Never", "IfNotPresent"].includes(pullPolicy)
      ? []
      : invalidValue(pullPolicy, "pullPolicy")),
  ];
}

const reservedPaths: ReadonlySet<string> = new Set(["/", "/dev", "/dev/log"]);
const mountFields: ReadonlySet<string> = new Set([
  "name",
  "readOnly",
  "mountPath",
  "subPath",
  "mountPropagation",
]);

/** Paths begin at the list. */
export function validateMounts(
  mounts: readonly VolumeMount[] = [],
  volumes: readonly Volume[],
  features: FeaturesConfig,
): KnativeErrors {
  const taken = new Set<string>();
  return mounts.flatMap((mount, index) => {
    const path = cleanPath(mount.mountPath ?? "");
    const repeated = taken.has(path);
    taken.add(path);
    const volume = volumes.find((one) => one.name === mount.name);
    return under(index, [
      ...disallowedFields(mount, mountFields),
      ...(volume === undefined ? fault("volumeMount has no matching volume", ["name"]) : []),
      ...validateMountPath(mount.mountPath ?? "", path, repeated),
      ...validateReadOnly(mount, volume),
      ...validatePropagation(mount, features),
    ]);
  });
}

function validateMountPath(given: string, path: string, repeated: boolean): KnativeErrors {
  if (given === "") return missing("mountPath");
  if (reservedPaths.has(path))
    return fault(`mountPath ${JSON.stringify(path)} is a reserved path`, ["mountPath"]);
  if (!given.startsWith("/")) return invalidValue(given, "mountPath");
  return repeated ? invalidValue(`${JSON.stringify(given)} must be unique`, "mountPath") : [];
}

/** Whether a mount of this volume may be written to at all. */
export function isWritable(volume: Volume | undefined): boolean {
  return volume !== undefined && writable.some((source) => volume[source] !== undefined);
}

function validateReadOnly({ readOnly }: VolumeMount, volume: Volume | undefined): KnativeErrors {
  if (readOnly === true) return [];
  if (!isWritable(volume))
    return fault("volume mount should be readOnly for this type of volume", ["readOnly"]);
  return volume?.persistentVolumeClaim?.readOnly === true
    ? fault("volume is readOnly but volume mount is not", ["readOnly"])
    : [];
}

function validatePropagation(mount: VolumeMount, features: FeaturesConfig): KnativeErrors {
  const { mountPropagation: asked, name } = mount;
  if (!asked) return [];
  const flag = features.volumesMountPropagation;
  if (flag !== "enabled") {
    return [
      ...fault(
        `Volume Mount Propagation support is disabled, but found volume mount ${name} with mount propagation`,
      ),
      ...(flag === "disabled" ? disallowed("mountPropagation") : []),
    ];
  }
  return asked === "None" || asked === "HostToContainer"
    ? []
    : fault("mount propagation should be set to None or HostToContainer", ["mountPropagation"]);
}

/** As path.Clean does: `/dev/../` is `/`, `a//b/.` is `a/b`. */
function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !path.startsWith("/")) parts.push(part);
  }
  return `${path.startsWith("/") ? "/" : ""}${parts.join("/")}` || ".";
}

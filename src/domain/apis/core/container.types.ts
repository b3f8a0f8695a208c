// A container: its wish and its state (core/v1).
import {
  at,
  bool,
  embeddable,
  type Infer,
  inline,
  int32,
  int64,
  intOrString,
  keyed,
  list,
  map,
  obj,
  ptr,
  quantity,
  str,
  time,
} from "../schema/index.js";
import {
  ConfigMapKeySelectorSchema,
  LocalObjectReferenceMessage,
  ObjectFieldSelectorSchema,
  ResourceFieldSelectorSchema,
  SecretKeySelectorSchema,
} from "./references.types.js";
import { VolumeDeviceSchema, VolumeMountSchema } from "./volume.types.js";

export const ContainerPortSchema = obj(
  {
    name: at(1, str()),
    hostPort: at(2, int32()),
    containerPort: at(3, int32()),
    protocol: at(4, str({ default: "TCP" })),
    hostIP: at(5, str()),
  },
  { required: ["containerPort"] },
);

export interface ContainerPort extends Infer<typeof ContainerPortSchema> {}

export const EnvVarSourceSchema = obj({
  fieldRef: at(1, ObjectFieldSelectorSchema),
  resourceFieldRef: at(2, ResourceFieldSelectorSchema),
  configMapKeyRef: at(3, ConfigMapKeySelectorSchema),
  secretKeyRef: at(4, SecretKeySelectorSchema),
});

export const EnvVarSchema = obj(
  {
    name: at(1, str()),
    value: at(2, str()),
    valueFrom: at(3, EnvVarSourceSchema),
  },
  { required: ["name"] },
);

export interface EnvVar extends Infer<typeof EnvVarSchema> {}

export const ConfigMapEnvSourceSchema = obj({
  ...inline(1, LocalObjectReferenceMessage),
  optional: ptr(2, bool()),
});

export const SecretEnvSourceSchema = obj({
  ...inline(1, LocalObjectReferenceMessage),
  optional: ptr(2, bool()),
});

export const EnvFromSourceSchema = obj({
  prefix: at(1, str()),
  configMapRef: at(2, ConfigMapEnvSourceSchema),
  secretRef: at(3, SecretEnvSourceSchema),
});

export interface EnvFromSource extends Infer<typeof EnvFromSourceSchema> {}

export const ResourceRequirementsSchema = obj({
  limits: at(1, map(quantity())),
  requests: at(2, map(quantity())),
});

export interface ResourceRequirements extends Infer<typeof ResourceRequirementsSchema> {}

export const ExecActionSchema = obj({
  command: at(1, list(str(), { "x-kubernetes-list-type": "atomic" })),
});

export const HTTPHeaderSchema = obj(
  {
    name: at(1, str()),
    value: at(2, str()),
  },
  { required: ["name", "value"] },
);

export const HTTPGetActionSchema = obj(
  {
    path: at(1, str({ default: "/" })),
    port: at(2, intOrString()),
    host: at(3, str()),
    scheme: at(4, str({ default: "HTTP" })),
    httpHeaders: at(5, list(HTTPHeaderSchema, { "x-kubernetes-list-type": "atomic" })),
  },
  { required: ["port"] },
);

export interface HTTPGetAction extends Infer<typeof HTTPGetActionSchema> {}

export const TCPSocketActionSchema = obj(
  {
    port: at(1, intOrString()),
    host: at(2, str()),
  },
  { required: ["port"] },
);

export const GRPCActionSchema = obj(
  {
    port: at(1, int32()),
    service: ptr(2, str({ default: "" })),
  },
  { required: ["port"] },
);

export const SleepActionSchema = obj({
  seconds: at(1, int64()),
});

export const ProbeHandlerMessage = embeddable({
  exec: at(1, ExecActionSchema),
  httpGet: at(2, HTTPGetActionSchema),
  tcpSocket: at(3, TCPSocketActionSchema),
  grpc: at(4, GRPCActionSchema),
});

export const ProbeSchema = obj({
  ...inline(1, ProbeHandlerMessage),
  initialDelaySeconds: at(2, int32()),
  timeoutSeconds: at(3, int32({ default: 1 })),
  periodSeconds: at(4, int32({ default: 10 })),
  successThreshold: at(5, int32({ default: 1 })),
  failureThreshold: at(6, int32({ default: 3 })),
  terminationGracePeriodSeconds: ptr(7, int64()),
});

export interface Probe extends Infer<typeof ProbeSchema> {}

export const LifecycleHandlerSchema = obj({
  exec: at(1, ExecActionSchema),
  httpGet: at(2, HTTPGetActionSchema),
  tcpSocket: at(3, TCPSocketActionSchema),
  sleep: at(4, SleepActionSchema),
});

export const LifecycleSchema = obj({
  postStart: at(1, LifecycleHandlerSchema),
  preStop: at(2, LifecycleHandlerSchema),
});

export interface Lifecycle extends Infer<typeof LifecycleSchema> {}

export const CapabilitiesSchema = obj({
  add: at(1, list(str(), { "x-kubernetes-list-type": "atomic" })),
  drop: at(2, list(str(), { "x-kubernetes-list-type": "atomic" })),
});

export const SELinuxOptionsSchema = obj({
  user: at(1, str()),
  role: at(2, str()),
  type: at(3, str()),
  level: at(4, str()),
});

export const SeccompProfileSchema = obj({
  type: at(1, str()),
  localhostProfile: ptr(2, str()),
});

export const AppArmorProfileSchema = obj({
  type: at(1, str()),
  localhostProfile: ptr(2, str()),
});

export const SecurityContextSchema = obj({
  capabilities: at(1, CapabilitiesSchema),
  privileged: ptr(2, bool()),
  seLinuxOptions: at(3, SELinuxOptionsSchema),
  runAsUser: ptr(4, int64()),
  runAsNonRoot: ptr(5, bool()),
  readOnlyRootFilesystem: ptr(6, bool()),
  allowPrivilegeEscalation: ptr(7, bool()),
  runAsGroup: ptr(8, int64()),
  procMount: at(9, str()),
  seccompProfile: at(11, SeccompProfileSchema),
  appArmorProfile: at(12, AppArmorProfileSchema),
});

export interface SecurityContext extends Infer<typeof SecurityContextSchema> {}

export const ContainerResizePolicySchema = obj({
  resourceName: at(1, str()),
  restartPolicy: at(2, str()),
});

export const ContainerSchema = obj(
  {
    name: at(1, str()),
    image: at(2, str()),
    command: at(3, list(str(), { "x-kubernetes-list-type": "atomic" })),
    args: at(4, list(str(), { "x-kubernetes-list-type": "atomic" })),
    workingDir: at(5, str()),
    ports: at(6, keyed(ContainerPortSchema, ["containerPort", "protocol"])),
    env: at(7, keyed(EnvVarSchema, ["name"])),
    resources: at(8, ResourceRequirementsSchema),
    volumeMounts: at(9, keyed(VolumeMountSchema, ["mountPath"])),
    livenessProbe: at(10, ProbeSchema),
    readinessProbe: at(11, ProbeSchema),
    lifecycle: at(12, LifecycleSchema),
    terminationMessagePath: at(13, str({ default: "/dev/termination-log" })),
    imagePullPolicy: at(14, str()),
    securityContext: at(15, SecurityContextSchema),
    stdin: at(16, bool()),
    stdinOnce: at(17, bool()),
    tty: at(18, bool()),
    envFrom: at(19, list(EnvFromSourceSchema, { "x-kubernetes-list-type": "atomic" })),
    terminationMessagePolicy: at(20, str({ default: "File" })),
    volumeDevices: at(21, keyed(VolumeDeviceSchema, ["devicePath"])),
    startupProbe: at(22, ProbeSchema),
    resizePolicy: at(23, list(ContainerResizePolicySchema, { "x-kubernetes-list-type": "atomic" })),
    restartPolicy: at(24, str()),
  },
  { required: ["name", "image"] },
);

export interface Container extends Infer<typeof ContainerSchema> {}

export const EphemeralContainerCommonMessage = embeddable({
  name: at(1, str()),
  image: at(2, str()),
  command: at(3, list(str(), { "x-kubernetes-list-type": "atomic" })),
  args: at(4, list(str(), { "x-kubernetes-list-type": "atomic" })),
  workingDir: at(5, str()),
  ports: at(6, keyed(ContainerPortSchema, ["containerPort", "protocol"])),
  env: at(7, keyed(EnvVarSchema, ["name"])),
  resources: at(8, ResourceRequirementsSchema),
  volumeMounts: at(9, keyed(VolumeMountSchema, ["mountPath"])),
  livenessProbe: at(10, ProbeSchema),
  readinessProbe: at(11, ProbeSchema),
  lifecycle: at(12, LifecycleSchema),
  terminationMessagePath: at(13, str()),
  imagePullPolicy: at(14, str()),
  securityContext: at(15, SecurityContextSchema),
  stdin: at(16, bool()),
  stdinOnce: at(17, bool()),
  tty: at(18, bool()),
  envFrom: at(19, list(EnvFromSourceSchema, { "x-kubernetes-list-type": "atomic" })),
  terminationMessagePolicy: at(20, str()),
  volumeDevices: at(21, list(VolumeDeviceSchema, { "x-kubernetes-list-type": "atomic" })),
  startupProbe: at(22, ProbeSchema),
  resizePolicy: at(23, list(ContainerResizePolicySchema, { "x-kubernetes-list-type": "atomic" })),
  restartPolicy: at(24, str()),
});

export const EphemeralContainerSchema = obj(
  {
    ...inline(1, EphemeralContainerCommonMessage),
    targetContainerName: at(2, str()),
  },
  { required: ["name"] },
);

export interface EphemeralContainer extends Infer<typeof EphemeralContainerSchema> {}

export const ContainerStateWaitingSchema = obj({
  reason: at(1, str()),
  message: at(2, str()),
});

export const ContainerStateRunningSchema = obj({
  startedAt: at(1, time()),
});

export const ContainerStateTerminatedSchema = obj(
  {
    exitCode: at(1, int32()),
    signal: at(2, int32()),
    reason: at(3, str()),
    message: at(4, str()),
    startedAt: at(5, time()),
    finishedAt: at(6, time()),
    containerID: at(7, str()),
  },
  { required: ["exitCode"] },
);

export const ContainerStateSchema = obj({
  waiting: at(1, ContainerStateWaitingSchema),
  running: at(2, ContainerStateRunningSchema),
  terminated: at(3, ContainerStateTerminatedSchema),
});

export interface ContainerState extends Infer<typeof ContainerStateSchema> {}

export const LinuxContainerUserSchema = obj({
  uid: at(1, int64()),
  gid: at(2, int64()),
  supplementalGroups: at(3, list(int64(), { "x-kubernetes-list-type": "atomic" })),
});

export const ContainerUserSchema = obj({
  linux: at(1, LinuxContainerUserSchema),
});

export const ResourceHealthSchema = obj({
  resourceID: at(1, str()),
  health: at(2, str()),
});

export const ResourceStatusSchema = obj({
  name: at(1, str()),
  resources: at(2, list(ResourceHealthSchema, { "x-kubernetes-list-type": "atomic" })),
});

export const VolumeMountStatusSchema = obj({
  name: at(1, str()),
  mountPath: at(2, str()),
  readOnly: at(3, bool()),
  recursiveReadOnly: at(4, str()),
});

export const ContainerStatusSchema = obj(
  {
    name: at(1, str()),
    state: at(2, ContainerStateSchema),
    lastState: at(3, ContainerStateSchema),
    ready: at(4, bool()),
    restartCount: at(5, int32()),
    image: at(6, str()),
    imageID: at(7, str()),
    containerID: at(8, str()),
    started: ptr(9, bool()),
    allocatedResources: at(10, map(quantity())),
    resources: at(11, ResourceRequirementsSchema),
    volumeMounts: at(12, list(VolumeMountStatusSchema, { "x-kubernetes-list-type": "atomic" })),
    user: at(13, ContainerUserSchema),
    allocatedResourcesStatus: at(14, list(ResourceStatusSchema, { "x-kubernetes-list-type": "atomic" })),
  },
  { required: ["name", "ready", "restartCount", "image", "imageID"] },
);

export interface ContainerStatus extends Infer<typeof ContainerStatusSchema> {}

// config-features: which pod fields and behaviours may be used.
import type { FeaturesConfig, Flag } from "./servingConfig.types.js";
import { oneOf, passedOver, setting, settingsMap } from "./settings.js";

const flags: readonly Flag[] = ["enabled", "allowed", "disabled"];
const flag = oneOf(flags, passedOver(flags));

const securities = ["disabled", "AllowRootBounded", "enabled"] as const;

const off = (key: string, about: string) => setting<Flag>(key, "disabled", flag, about);
const on = (key: string, about: string) => setting<Flag>(key, "enabled", flag, about);
/** A field of the pod or container that only a feature opens. */
const field = (key: string, name: string) => off(`kubernetes.${key}`, `Whether a Revision may set ${name}.`);

export const featuresMap = settingsMap<FeaturesConfig>({
  name: "config-features",
  component: "controller",
  settings: {
    multiContainer: on("multi-container", "Whether a Revision may have more than one container."),
    multiContainerProbing: off(
      "multi-container-probing",
      "Whether containers beside the model may have probes, and liveness probes a port of their own.",
    ),
    securePodDefaults: setting(
      "secure-pod-defaults",
      "disabled",
      oneOf(securities, passedOver(securities)),
      "Whether pods get a strict security context: disabled, AllowRootBounded or enabled.",
    ),
    podSpecAffinity: field("podspec-affinity", "affinity"),
    podSpecTopologySpreadConstraints: field("podspec-topologyspreadconstraints", "topologySpreadConstraints"),
    podSpecHostAliases: field("podspec-hostaliases", "hostAliases"),
    podSpecNodeSelector: field("podspec-nodeselector", "nodeSelector"),
    podSpecTolerations: field("podspec-tolerations", "tolerations"),
    podSpecRuntimeClassName: field("podspec-runtimeclassname", "runtimeClassName"),
    podSpecSecurityContext: field("podspec-securitycontext", "the pod's securityContext"),
    podSpecShareProcessNamespace: field("podspec-shareprocessnamespace", "shareProcessNamespace"),
    podSpecPriorityClassName: field("podspec-priorityclassname", "priorityClassName"),
    podSpecSchedulerName: field("podspec-schedulername", "schedulerName"),
    podSpecInitContainers: field("podspec-init-containers", "initContainers"),
    podSpecDnsPolicy: field("podspec-dnspolicy", "dnsPolicy"),
    podSpecDnsConfig: field("podspec-dnsconfig", "dnsConfig"),
    podSpecHostIpc: field("podspec-hostipc", "hostIPC"),
    podSpecHostPid: field("podspec-hostpid", "hostPID"),
    podSpecHostNetwork: field("podspec-hostnetwork", "hostNetwork"),
    podSpecFieldRef: field("podspec-fieldref", "environment variables from fieldRef and resourceFieldRef"),
    containerSpecAddCapabilities: field("containerspec-addcapabilities", "capabilities.add"),
    volumesEmptyDir: on(
      "kubernetes.podspec-volumes-emptydir",
      "Whether a Revision may use emptyDir volumes.",
    ),
    volumesHostPath: field("podspec-volumes-hostpath", "hostPath volumes"),
    volumesCsi: field("podspec-volumes-csi", "csi volumes"),
    volumesEphemeral: field("podspec-volumes-ephemeral", "ephemeral volumes"),
    volumesImage: field("podspec-volumes-image", "image volumes"),
    volumesMountPropagation: field("podspec-volumes-mount-propagation", "mountPropagation"),
    persistentVolumeClaim: field("podspec-persistent-volume-claim", "volumes from PersistentVolumeClaims"),
    persistentVolumeWrite: field("podspec-persistent-volume-write", "such volumes as writable"),
    tagHeaderBasedRouting: off(
      "tag-header-based-routing",
      "Whether the header Knative-Serving-Tag chooses a tagged Revision.",
    ),
    autodetectHttp2: off("autodetect-http2", "Whether the model is asked if it speaks HTTP/2."),
    queueProxyMountPodInfo: off(
      "queueproxy.mount-podinfo",
      "Whether the queue-proxy sees the pod's annotations; `allowed` leaves it to each Revision.",
    ),
    queueProxyResourceDefaults: off(
      "queueproxy.resource-defaults",
      "Whether the queue-proxy gets limits where config-deployment names none.",
    ),
  },
  shape: (read) => read,
});

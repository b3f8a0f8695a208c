// The node agent: makes pods real through the Sandbox and Images ports, and tells the API how they fare.

export type { ImageCredentials, KubeletOptions, PullCredentials, ServiceAccountToken } from "./deps.js";
export { type Kubelet, startKubelet } from "./kubelet.js";
export { portsAnnotation } from "./podPorts.js";

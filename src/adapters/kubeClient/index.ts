export { type KubeClient, type KubeClientOptions, kubeClient } from "./kubeClient.js";
export { type Kubeconfig, loadKubeconfig } from "./kubeconfig.js";

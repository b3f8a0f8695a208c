// The kubeconfig of an instance, and the way back: written here and read here, so no YAML parser is loaded for it.

export interface Access {
  readonly server: string;
  readonly ca: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** A client certificate, since every client takes one and none shows it on a command line. */
export function kubeconfigText({ server, ca, clientCert, clientKey }: Access): string {
  return `apiVersion: v1
kind: Config
clusters:
- name: drydock
  cluster:
    server: ${server}
    certificate-authority-data: ${base64(ca)}
users:
- name: drydock
  user:
    client-certificate-data: ${base64(clientCert)}
    client-key-data: ${base64(clientKey)}
contexts:
- name: drydock
  context:
    cluster: drydock
    user: drydock
    namespace: default
current-context: drydock
`;
}

export function accessIn(kubeconfig: string) {
  const field = (name: string): string => new RegExp(`^ +${name}: (\\S+)$`, "m").exec(kubeconfig)?.[1] ?? "";
  const decoded = (name: string): string => Buffer.from(field(name), "base64").toString("utf8");
  return {
    server: field("server"),
    ca: decoded("certificate-authority-data"),
    cert: decoded("client-certificate-data"),
    key: decoded("client-key-data"),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

// What would help an engine that cannot pull: it has settings of its own, and Drydock's do not reach it.

export interface PullPlace {
  readonly engine: "Docker" | "Podman";
  readonly architecture: string;
  readonly host: string;
}

export function helpWithPull(said: string, { engine, architecture, host }: PullPlace): string | undefined {
  const isPodman = engine === "Podman";
  if (/server gave HTTP response to HTTPS client/i.test(said)) {
    return isPodman
      ? `${host} has no TLS, and ${engine} does not know it: set insecure = true for it in registries.conf, and start Podman's service again`
      : `${host} has no TLS, and ${engine} does not know it: put it into insecure-registries of daemon.json, and start Docker again`;
  }
  if (/x509: certificate signed by unknown authority|certificate is not trusted/i.test(said)) {
    const folder = isPodman ? "/etc/containers/certs.d" : "/etc/docker/certs.d";
    return `${engine} does not know who made the certificate of ${host}: put the authority's into ${folder}/${host}/ca.crt`;
  }
  if (/toomanyrequests|too many requests|429/i.test(said)) {
    return `${host} limits how often it is asked: wait, or add an imagePullSecret, whose account has a higher limit`;
  }
  if (
    /no matching manifest|no image found in .* for architecture|does not match the specified platform/i.test(
      said,
    )
  ) {
    return `the image is not built for ${architecture}, which this engine runs on: build it for ${architecture}, or choose another`;
  }
  if (/unauthorized|authentication required|no basic auth|access .*denied|denied:/i.test(said)) {
    return `${engine} may not pull from ${host}: add an imagePullSecret to the Service or to its service account, or log in with ${isPodman ? "podman" : "docker"} login`;
  }
  return undefined;
}

// Where a running instance is reached.
import type { Instance } from "../context.js";
import { pairs } from "./columns.js";
import type { Paint } from "./style.js";

export function instanceBlock({ api, gateway, kubeconfig, dataDir }: Instance, colors: Paint): string {
  const lines = pairs(
    [
      ["API", colors.cyan(api.url)],
      ["Gateway", `${colors.cyan(gateway.url)} ${colors.dim(`(cluster-local: ${gateway.localUrl})`)}`],
      ...(gateway.httpsUrl === undefined ? [] : [["", colors.cyan(gateway.httpsUrl)] as const]),
      ["Kubeconfig", kubeconfig],
      ["Data", dataDir],
    ],
    "  ",
  );
  return `${lines.join("\n")}\n`;
}

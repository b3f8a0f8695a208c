// `drydock crds`: our kinds as a real cluster learns them.
import { stringify } from "yaml";
import { crdOfKind } from "../../domain/apis/crd/index.js";
import { servingKinds } from "../../domain/apis/kinds.js";
import type { Context } from "../context.js";

export function crds({ terminal }: Context): void {
  const documents = servingKinds.map((kind) => stringify(crdOfKind(kind), { aliasDuplicateObjects: false }));
  terminal.out(documents.join("---\n"));
}

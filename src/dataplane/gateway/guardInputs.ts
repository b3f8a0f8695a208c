// What the guard is compiled from.
import type { RbacInput } from "../../domain/access/index.js";
import type { AuthorizationPolicy, RequestAuthentication } from "../../domain/apis/istio/security.types.js";
import type { MetaInput, RevisionInput, ServiceInput } from "./inputs.js";

export interface SecretInput {
  readonly metadata?: MetaInput | undefined;
  readonly type?: string | undefined;
  readonly data?: { readonly [name: string]: string | undefined } | undefined;
}

export interface GuardInput {
  readonly authentications: readonly RequestAuthentication[];
  readonly policies: readonly AuthorizationPolicy[];
  readonly rbac: RbacInput;
  readonly secrets: readonly SecretInput[];
  /** Their labels are their pods'. */
  readonly revisions: readonly RevisionInput[];
  readonly services: readonly ServiceInput[];
}

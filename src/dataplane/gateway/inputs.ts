// What the compiler reads of Kubernetes objects, and no more: any type with these fields will do.

import type { GatewayInput } from "../../domain/apis/istio/gateway.parse.js";
import type { VirtualServiceInput } from "../../domain/apis/istio/virtualService.types.js";

export type { GatewayInput, VirtualServiceInput };

export interface MetaInput {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly creationTimestamp?: string | undefined;
}

export interface ServiceInput {
  readonly metadata?: MetaInput | undefined;
  readonly spec?:
    | {
        readonly type?: string | undefined;
        readonly externalName?: string | undefined;
        readonly selector?: Readonly<Record<string, string>> | undefined;
        readonly ports?:
          | readonly {
              readonly name?: string | undefined;
              readonly port?: number | undefined;
              readonly appProtocol?: string | undefined;
            }[]
          | undefined;
      }
    | undefined;
}

export interface AddressInput {
  readonly ip?: string | undefined;
  readonly targetRef?: { readonly name?: string | undefined } | undefined;
}

export interface EndpointsInput {
  readonly metadata?: MetaInput | undefined;
  readonly subsets?:
    | readonly {
        readonly addresses?: readonly AddressInput[] | undefined;
        readonly notReadyAddresses?: readonly AddressInput[] | undefined;
        readonly ports?:
          | readonly {
              readonly name?: string | undefined;
              readonly port?: number | undefined;
              readonly appProtocol?: string | undefined;
            }[]
          | undefined;
      }[]
    | undefined;
}

export interface RevisionInput {
  readonly metadata?: MetaInput | undefined;
  readonly spec?:
    | {
        readonly containerConcurrency?: number | undefined;
        readonly timeoutSeconds?: number | undefined;
        readonly responseStartTimeoutSeconds?: number | undefined;
        readonly idleTimeoutSeconds?: number | undefined;
      }
    | undefined;
  readonly status?:
    | {
        readonly conditions?:
          | readonly {
              readonly type?: string | undefined;
              readonly status?: string | undefined;
              readonly reason?: string | undefined;
              readonly message?: string | undefined;
            }[]
          | undefined;
      }
    | undefined;
}

export interface SecretInput {
  readonly metadata?: MetaInput | undefined;
  /** In base64. */
  readonly data?: Readonly<Record<string, string>> | undefined;
}

export interface CompileInput {
  readonly virtualServices: readonly VirtualServiceInput[];
  readonly services: readonly ServiceInput[];
  readonly endpoints: readonly EndpointsInput[];
  /** Services of these names are theirs: their limits hold, and requests wait for their pods. */
  readonly revisions?: readonly RevisionInput[] | undefined;
  /** When given, they decide what is admitted where; else a Gateway admits everything, and its name says where. */
  readonly gateways?: readonly GatewayInput[] | undefined;
  /** Where Gateways find their certificates. */
  readonly secrets?: readonly SecretInput[] | undefined;
  readonly readFile?: ((path: string) => string | undefined) | undefined;
  /** The cluster's own DNS domain, `cluster.local` unless told. */
  readonly domain?: string | undefined;
  /** Request headers that end at the gateway; unless told, those Knative keeps from user code. */
  readonly hideFromPods?: readonly string[] | undefined;
}

// What the compiler reads of Kubernetes objects, and no more: any type with these fields will do.

export interface MetaInput {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly creationTimestamp?: string | undefined;
}

export interface StringMatchInput {
  readonly exact?: string | undefined;
  readonly prefix?: string | undefined;
  readonly regex?: string | undefined;
}

export interface HeaderOperationsInput {
  readonly set?: Readonly<Record<string, string>> | undefined;
  readonly add?: Readonly<Record<string, string>> | undefined;
  readonly remove?: readonly string[] | undefined;
}

export interface HeadersInput {
  readonly request?: HeaderOperationsInput | undefined;
  readonly response?: HeaderOperationsInput | undefined;
}

export interface HttpMatchInput {
  readonly authority?: StringMatchInput | undefined;
  readonly uri?: StringMatchInput | undefined;
  readonly method?: StringMatchInput | undefined;
  readonly headers?: Readonly<Record<string, StringMatchInput>> | undefined;
  readonly gateways?: readonly string[] | undefined;
  readonly ignoreUriCase?: boolean | undefined;
}

export interface HttpRouteDestinationInput {
  readonly destination?:
    | {
        readonly host?: string | undefined;
        readonly port?: { readonly number?: number | undefined } | undefined;
      }
    | undefined;
  readonly weight?: number | undefined;
  readonly headers?: HeadersInput | undefined;
}

export interface HttpRouteInput {
  readonly name?: string | undefined;
  readonly match?: readonly HttpMatchInput[] | undefined;
  readonly route?: readonly HttpRouteDestinationInput[] | undefined;
  readonly headers?: HeadersInput | undefined;
  readonly rewrite?:
    | {
        readonly uri?: string | undefined;
        readonly authority?: string | undefined;
        readonly uriRegexRewrite?:
          | { readonly match?: string | undefined; readonly rewrite?: string | undefined }
          | undefined;
      }
    | undefined;
  readonly redirect?:
    | {
        readonly uri?: string | undefined;
        readonly authority?: string | undefined;
        readonly scheme?: string | undefined;
        readonly redirectCode?: number | undefined;
      }
    | undefined;
  readonly timeout?: string | undefined;
  readonly websocketUpgrade?: boolean | undefined;
}

export interface VirtualServiceInput {
  readonly metadata?: MetaInput | undefined;
  readonly spec?:
    | {
        readonly gateways?: readonly string[] | undefined;
        readonly hosts?: readonly string[] | undefined;
        readonly http?: readonly HttpRouteInput[] | undefined;
      }
    | undefined;
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

export interface GatewayInput {
  readonly metadata?: MetaInput | undefined;
}

export interface CompileInput {
  readonly virtualServices: readonly VirtualServiceInput[];
  readonly services: readonly ServiceInput[];
  readonly endpoints: readonly EndpointsInput[];
  /** Services of these names are theirs: their limits hold, and requests wait for their pods. */
  readonly revisions?: readonly RevisionInput[] | undefined;
  /** When given, a VirtualService bound to a Gateway that is not among them is reported. */
  readonly gateways?: readonly GatewayInput[] | undefined;
  /** The cluster's own DNS domain, `cluster.local` unless told. */
  readonly domain?: string | undefined;
  /** Request headers that end at the gateway; unless told, those Knative keeps from user code. */
  readonly hideFromPods?: readonly string[] | undefined;
}

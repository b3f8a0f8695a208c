// The gateway's bounds, each with its why. The proxy beneath keeps its own.

/** A head longer than this is no model request; it also bounds what one idle connection can hold. */
export const headLimitBytes = 32 * 1024;

/** As Knative's queue-proxy: a head that takes a minute is a slow attack, not a slow network. */
export const headTimeoutMs = 60_000;

/** Longer than the idle time of common load balancers, so that they close first and never race a request. */
export const keepAliveMs = 75_000;

/** Time to show the first bytes that tell HTTP/1.1 from HTTP/2. */
export const firstByteTimeoutMs = 60_000;

/** Models take large tensors, disks do not take endless ones. */
export const bodyLimitBytes = 4 * 1024 ** 3;

/** Streams one HTTP/2 client may hold open at once: several times the usual default of gRPC servers. */
export const h2StreamLimit = 512;

/** What one HTTP/2 stream may send ahead: 64 KiB halves the speed of large tensors. */
export const h2WindowBytes = 256 * 1024;

/** A regular expression longer than this is machine-made or hostile; the ones KServe writes are under 200. */
export const regexLimit = 1024;

/** VirtualServices one request may pass. KServe needs two, a DomainMapping before it three. */
export const chainLimit = 8;

/** Ends one host may fan out to over all splits and rules, so that nested splits cannot multiply without end. */
export const leafLimit = 1024;

/** Hosts named in a 404: enough to spot a typing error, too few to flood a terminal. */
export const hostsShown = 10;

/** Scaling from zero takes about this long when images are warm. */
export const retryAfterSeconds = 1;

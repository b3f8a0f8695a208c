/**
 * The pod condition by which our kubelet says that something still moves, such as the bytes of a download;
 * its lastProbeTime is when it was last seen to.
 */
export const progressCondition = "drydock.dev/Progressing";

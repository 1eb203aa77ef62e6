/**
 * Why a camera, a microphone or a screen cannot be had: `denied` by the person or the system, `missing`, `busy` in another program,
 * `insecure` (the page came over plain HTTP, where browsers give none), `lost` while it was in use, `failed` for no known reason.
 */
export type CaptureFault = "denied" | "missing" | "busy" | "insecure" | "lost" | "failed";

/** What `getUserMedia` and `getDisplayMedia` threw, by name: browsers differ in the words. */
export function captureFaultOf(error: unknown): CaptureFault {
  switch (error instanceof Error ? error.name : "") {
    case "NotAllowedError":
    case "PermissionDeniedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "DevicesNotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "TrackStartError":
    // Chromium, where the device takes longer than its patience.
    case "AbortError":
      return "busy";
    default:
      return "failed";
  }
}

import type { Device } from "./capture.ts";

/** `unknown` where the browser does not say: then one has to ask to know. */
export type Permission = "granted" | "prompt" | "denied" | "unknown";

/** Tells what the person allowed this page, now and whenever it changes. @returns ends it. */
export function watchPermission(device: Device, tell: (permission: Permission) => void): () => void {
  const gone = new AbortController();
  // Not in every list of names that the types know.
  const asked = navigator.permissions?.query({ name: device as PermissionName });
  if (!asked) tell("unknown");
  else {
    asked.then(
      (status) => {
        if (gone.signal.aborted) return;
        tell(status.state);
        status.addEventListener("change", () => tell(status.state), { signal: gone.signal });
      },
      // Firefox before 132 knows neither name.
      () => {
        if (!gone.signal.aborted) tell("unknown");
      },
    );
  }
  return () => gone.abort();
}

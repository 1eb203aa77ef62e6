import { useCallback, useEffect, useRef, useState } from "react";

/** How a device that is tried out does. */
export type DevicePreviewState =
  | { readonly state: "asking" }
  | { readonly state: "live"; readonly stream: MediaStream }
  | { readonly state: "denied" | "none" | "in_use" | "insecure" }
  | { readonly state: "failed"; readonly reason: string };

export interface DevicePreview {
  readonly now: DevicePreviewState;
  readonly retry: () => void;
  /** Hands the stream over: it is not stopped here any more. undefined where there is none. */
  readonly take: () => MediaStream | undefined;
}

/**
 * Opens a device as long as the component is there, for its live preview.
 * @param deviceId empty: whichever the browser chooses.
 */
export function useDevicePreview(kind: "camera" | "microphone", deviceId: string): DevicePreview {
  const [now, setNow] = useState<DevicePreviewState>({ state: "asking" });
  const [attempt, setAttempt] = useState(0);
  const held = useRef<MediaStream>(undefined);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt opens it anew.
  useEffect(() => {
    let gone = false;
    const open = async () => {
      const media: MediaDevices | undefined = navigator.mediaDevices;
      if (media === undefined) {
        setNow({ state: "insecure" });
        return;
      }
      setNow({ state: "asking" });
      const device = deviceId === "" ? {} : { deviceId: { exact: deviceId } };
      try {
        const stream = await media.getUserMedia(kind === "camera" ? { video: device } : { audio: device });
        if (gone) {
          stop(stream);
          return;
        }
        held.current = stream;
        setNow({ state: "live", stream });
      } catch (error) {
        if (!gone) setNow(failureOf(error));
      }
    };
    void open();
    return () => {
      gone = true;
      stop(held.current);
      held.current = undefined;
    };
  }, [kind, deviceId, attempt]);

  const nothing = now.state === "none" || now.state === "failed" || now.state === "in_use";
  useEffect(() => {
    if (!nothing) return;
    // A device that is plugged in is tried at once.
    const onChange = () => setAttempt((before) => before + 1);
    navigator.mediaDevices.addEventListener("devicechange", onChange);
    return () => navigator.mediaDevices.removeEventListener("devicechange", onChange);
  }, [nothing]);

  const retry = useCallback(() => setAttempt((before) => before + 1), []);
  const take = useCallback(() => {
    const stream = held.current;
    held.current = undefined;
    return stream;
  }, []);
  return { now, retry, take };
}

function stop(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** What `getUserMedia` rejected with (Media Capture and Streams § 10.3.1), as the interface says it. */
export function failureOf(error: unknown): Exclude<DevicePreviewState, { state: "live" | "asking" }> {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return { state: "denied" };
  if (name === "NotFoundError" || name === "OverconstrainedError") return { state: "none" };
  if (name === "NotReadableError" || name === "AbortError") return { state: "in_use" };
  return { state: "failed", reason: error instanceof Error ? error.message : String(error) };
}

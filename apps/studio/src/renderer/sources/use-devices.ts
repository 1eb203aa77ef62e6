import { useEffect, useState } from "react";

export interface Device {
  readonly id: string;
  /** Empty until a device of the kind may be used. */
  readonly label: string;
}

const KINDS = { camera: "videoinput", microphone: "audioinput", speaker: "audiooutput" } as const;

/** The devices of a kind, followed as they are plugged and unplugged. @param again asks anew whenever it changes. */
export function useDevices(kind: keyof typeof KINDS, again?: unknown): readonly Device[] {
  const [devices, setDevices] = useState<readonly Device[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` is only there to ask anew.
  useEffect(() => {
    // Only on a secure address does a page have devices.
    const media: MediaDevices | undefined = navigator.mediaDevices;
    if (media === undefined) return;
    let gone = false;
    const list = async () => {
      const found = await media.enumerateDevices();
      if (gone) return;
      // Before permission browsers list one nameless device of each kind.
      const fitting = found.filter((device) => device.kind === KINDS[kind] && device.deviceId !== "");
      setDevices(fitting.map(({ deviceId, label }) => ({ id: deviceId, label })));
    };
    const onChange = () => void list();
    media.addEventListener("devicechange", onChange);
    onChange();
    return () => {
      gone = true;
      media.removeEventListener("devicechange", onChange);
    };
  }, [kind, again]);
  return devices;
}

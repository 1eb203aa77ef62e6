import { useEffect, useState } from "react";
import type { Services } from "../services.ts";
import { Viewer } from "./viewer.ts";

/** A viewer of `channel` for as long as the component is shown; null before the first effect. */
export function useViewer(
  services: Services,
  channel: string,
  autoplay: boolean,
  startMuted: boolean,
  preview?: string,
): Viewer | null {
  const [viewer, setViewer] = useState<Viewer | null>(null);
  useEffect(() => {
    const video = document.createElement("video");
    video.playsInline = true;
    video.preload = "auto";
    const still = document.createElement("canvas");
    const bridge = document.createElement("video");
    const next = new Viewer({ ...services, channel, preview, autoplay, startMuted, video, still, bridge });
    setViewer(next);
    return () => {
      setViewer(null);
      next.close();
    };
  }, [services, channel, preview, autoplay, startMuted]);
  return viewer;
}

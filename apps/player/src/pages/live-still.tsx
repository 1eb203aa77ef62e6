import type { ChannelInfo } from "@klieg/protocol";
import { useEffect, useRef, useState } from "react";
import { LampMark } from "../controls/icons.tsx";
import { drawLiveStill } from "../playback/live-still.ts";
import { hueOf } from "./channel-avatar.tsx";

const REFRESH_MS = 60_000;

/** Browsers that know the viewer pays by the byte say so here. */
interface NavigatorWithConnection extends Navigator {
  readonly connection?: { readonly saveData?: boolean };
}

/** A frame of the broadcast, taken now and then while the card is in sight. */
export function LiveStill({ channel }: { channel: ChannelInfo }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drawn, setDrawn] = useState(false);
  const url = channel.state === "live" ? channel.playback.hls : null;
  useEffect(() => {
    const element = canvas.current;
    if (!element || url === null || (navigator as NavigatorWithConnection).connection?.saveData) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | null = null;
    let visible = false;
    let taking = false;
    const draw = async () => {
      if (!visible || taking || document.visibilityState === "hidden") return;
      taking = true;
      const took = await drawLiveStill(new URL(url, location.href).href, element, gone.signal);
      taking = false;
      if (gone.signal.aborted) return;
      if (took) setDrawn(true);
      timer = setTimeout(() => void draw(), REFRESH_MS);
    };
    const observer = new IntersectionObserver((entries) => {
      visible = entries.some((entry) => entry.isIntersecting);
      if (visible && timer === null) void draw();
    });
    observer.observe(element);
    return () => {
      gone.abort();
      observer.disconnect();
      if (timer) clearTimeout(timer);
    };
  }, [url]);
  return (
    <>
      <span className="still-lamp is-off" style={{ "--hue": hueOf(channel.name) }}>
        <LampMark />
      </span>
      <span aria-hidden="true">
        <canvas ref={canvas} className="still" data-drawn={drawn} />
      </span>
    </>
  );
}

import { type ReactNode, useEffect, useRef } from "react";
import type { ViewTarget } from "../media/compositor/compositor-message.ts";
import { useServices } from "../services.ts";
import { useOnAir } from "./use-on-air.ts";

/** A picture of the compositor: program, preview or a scene. */
export function Picture({ shows, className }: { readonly shows: ViewTarget; readonly className: string }) {
  // A canvas that shows something belongs to it for good: another target takes another canvas.
  return <PictureCanvas key={shows} shows={shows} className={className} />;
}

function PictureCanvas({ shows, className }: { readonly shows: ViewTarget; readonly className: string }) {
  const { media } = useServices();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current === null) return;
    const shown = media.show(shows, canvas.current);
    return () => shown[Symbol.dispose]();
  }, [media, shows]);
  return <canvas ref={canvas} className={className} />;
}

/** A picture with a name and what lies over it. @param live whether it is the program. @param width of the picture on screen, CSS pixels. */
export function Monitor(props: {
  readonly shows: ViewTarget;
  readonly label: string;
  readonly live: boolean;
  readonly width: number;
  readonly height: number;
  readonly caption: ReactNode;
  readonly children?: ReactNode;
}) {
  const { shows, label, live, width, height, caption, children } = props;
  const onAir = useOnAir();
  return (
    <figure className={live && onAir ? "monitor air" : "monitor"} aria-label={label} style={{ width }}>
      {caption === null ? null : <figcaption>{caption}</figcaption>}
      <div className="monitor-picture" style={{ width, height }}>
        <Picture shows={shows} className="monitor-canvas" />
        {children}
      </div>
    </figure>
  );
}

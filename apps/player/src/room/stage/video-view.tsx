import { useEffect, useRef } from "react";

export interface VideoViewProps {
  readonly track: MediaStreamTrack;
  /** As in a mirror: how one knows oneself. */
  readonly mirrored?: boolean;
  /** Told whether there is a picture, and its shape. */
  readonly onPicture?: (width: number, height: number) => void;
}

/** A picture without its sound. */
export function VideoView({ track, mirrored = false, onPicture }: VideoViewProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = new MediaStream([track]);
    element.play().catch((error: unknown) => {
      // Muted pictures may always play; what breaks this off is the next track, or the end of the tile.
      if (!(error instanceof DOMException && error.name === "AbortError")) {
        console.info("Klieg: a picture does not play:", error);
      }
    });
    return () => {
      element.srcObject = null;
    };
  }, [track]);
  return (
    <video
      ref={video}
      className="picture"
      data-mirrored={mirrored}
      autoPlay
      playsInline
      muted
      disablePictureInPicture
      onResize={(event) => onPicture?.(event.currentTarget.videoWidth, event.currentTarget.videoHeight)}
    />
  );
}

import { useEffect, useRef } from "react";
import { guestStrings as words } from "../strings/guests.ts";
import type { Guest } from "./guest.ts";

/** What is received of a guest, small; the initial of the name while there is none. */
export function GuestPicture({ guest }: { readonly guest: Guest }) {
  const { name, video, camera, picture, present } = guest;
  const shown = present && (picture === "screen" || camera === "live") ? video : undefined;
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (element.current === null || shown === undefined) return;
    element.current.srcObject = new MediaStream([shown]);
    // A picture without sound may always play; one that is taken away first need not.
    element.current.play().catch((error: unknown) => console.info("Klieg: a guest's picture did not play:", error));
  }, [shown]);
  return (
    <div className="guest-picture">
      {shown === undefined ? (
        <span className="initial" title={words.noCamera} aria-hidden="true">
          {name.slice(0, 1)}
        </span>
      ) : (
        <video ref={element} muted playsInline aria-label={words.pictureOf(name)} />
      )}
    </div>
  );
}

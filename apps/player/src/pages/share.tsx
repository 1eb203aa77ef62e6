import { useRef } from "react";
import { CloseIcon, ShareIcon } from "../controls/icons.tsx";
import { strings } from "../strings.ts";
import { CopyField } from "./copy-field.tsx";

/** Opens a dialog with the link, the embed code, and the system's own way of sending where there is one. */
export function ShareButton({ channel, title }: { channel: string; title: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const words = strings.share;
  const link = new URL(`/watch/${encodeURIComponent(channel)}`, location.href).href;
  return (
    <>
      <button type="button" className="button" aria-haspopup="dialog" onClick={() => dialog.current?.showModal()}>
        <ShareIcon />
        {words.action}
      </button>
      <dialog ref={dialog} className="dialog share" aria-label={words.title}>
        <header>
          <h2>{words.title}</h2>
          <button type="button" className="control" aria-label={words.close} onClick={() => dialog.current?.close()}>
            <CloseIcon />
          </button>
        </header>
        <h3>{words.link}</h3>
        <CopyField label={words.link} text={link} />
        <h3>{words.embed}</h3>
        <CopyField label={words.embed} text={embedCode(new URL(location.href).origin, channel, title)} />
        {typeof navigator.share === "function" ? (
          <button type="button" className="button is-primary" onClick={() => void send(link, title)}>
            {words.system}
          </button>
        ) : null}
      </dialog>
    </>
  );
}

/** The HTML that shows the channel in another page. */
export function embedCode(origin: string, channel: string, title: string): string {
  const source = `${origin}/embed/${encodeURIComponent(channel)}`;
  return `<iframe src="${source}" title="${escapeAttribute(title)}" width="640" height="360" style="border:0" allow="autoplay; fullscreen; picture-in-picture" allowfullscreen></iframe>`;
}

function escapeAttribute(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
}

async function send(url: string, title: string): Promise<void> {
  try {
    await navigator.share({ url, title });
  } catch (error) {
    // Thinking better of it is not a fault.
    if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
  }
}

import { Fragment, useEffect, useRef } from "react";
import { strings } from "../strings.ts";
import { CloseIcon } from "./icons.tsx";

const words = strings.help;

const ROWS: readonly (readonly [keys: readonly string[], meaning: string])[] = [
  [["space", "k"], words.playPause],
  [["m"], words.mute],
  [["↑", "↓"], words.volume],
  [["←", "→"], words.seek],
  [["l"], words.live],
  [["q"], words.quality],
  [["r"], words.mode],
  [["f"], words.fullScreen],
  [["p"], words.pictureInPicture],
  [["i"], words.statistics],
  [["?"], words.help],
];

/** The list of keys. */
export function HelpDialog({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="dialog help" aria-label={words.title} onClose={onClose}>
      <header>
        <h2>{words.title}</h2>
        <button
          type="button"
          className="control"
          aria-label={strings.controls.close}
          onClick={() => dialog.current?.close()}
        >
          <CloseIcon />
        </button>
      </header>
      <dl>
        {ROWS.map(([keys, meaning]) => (
          <Fragment key={meaning}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </Fragment>
        ))}
      </dl>
    </dialog>
  );
}

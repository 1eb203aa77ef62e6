import type { OfferedScreen, ScreenOffer } from "@klieg/protocol";
import { useEffect, useState } from "react";
import { Dialog } from "../shell/dialog.tsx";
import { strings } from "../strings.ts";
import { CheckField } from "./field-row.tsx";
import { SourceIcon } from "./source-icon.tsx";

interface Question {
  readonly offer: ScreenOffer;
  readonly answer: (choice: { screen: string | null; audio: boolean }) => void;
}

/** In the desktop app, where the system has no picker of its own: asks which screen or window is to be captured. */
export function ScreenPicker() {
  const [question, setQuestion] = useState<Question>();
  useEffect(() => {
    window.kliegDesktop?.onPickScreen((offer) => {
      const { promise, resolve } = Promise.withResolvers<{ screen: string | null; audio: boolean }>();
      setQuestion({
        offer,
        answer: (choice) => {
          setQuestion(undefined);
          resolve(choice);
        },
      });
      return promise;
    });
  }, []);
  return question === undefined ? null : <Picker key={question.offer.offer} {...question} />;
}

function Picker({ offer, answer }: Question) {
  const [chosen, setChosen] = useState<string>();
  const [audio, setAudio] = useState(offer.audio);
  const words = strings.sources.picker;
  const groups = (["screen", "window"] as const).map((kind) => ({
    kind,
    screens: offer.screens.filter((screen) => screen.kind === kind),
  }));
  return (
    <Dialog
      title={words.title}
      className="screen-picker"
      onClose={() => answer({ screen: null, audio: false })}
      footer={
        <>
          {offer.audio ? <CheckField label={words.audio} checked={audio} onChange={setAudio} /> : null}
          <span className="grow" />
          <button type="button" className="btn ghost" onClick={() => answer({ screen: null, audio: false })}>
            {strings.shell.cancel}
          </button>
          <button
            type="button"
            className="btn arc"
            disabled={chosen === undefined}
            onClick={() => answer({ screen: chosen ?? null, audio: offer.audio && audio })}
          >
            {words.share}
          </button>
        </>
      }
    >
      {offer.screens.length === 0 ? <p className="empty">{words.nothing}</p> : null}
      {groups.map(({ kind, screens }) =>
        screens.length === 0 ? null : (
          <section key={kind}>
            <h3 className="h">{words.kinds[kind]}</h3>
            <ul className="offered-screens">
              {screens.map((screen) => (
                <li key={screen.id}>
                  <Offered screen={screen} chosen={screen.id === chosen} onChoose={() => setChosen(screen.id)} />
                </li>
              ))}
            </ul>
          </section>
        ),
      )}
    </Dialog>
  );
}

function Offered(props: { readonly screen: OfferedScreen; readonly chosen: boolean; readonly onChoose: () => void }) {
  const { screen, chosen, onChoose } = props;
  return (
    <button type="button" aria-pressed={chosen} onClick={onChoose}>
      {screen.thumbnail === null ? (
        <span className="offered-picture">
          <SourceIcon kind="screen" />
        </span>
      ) : (
        <img className="offered-picture" src={screen.thumbnail} alt="" />
      )}
      <span className="row">
        {screen.icon === null ? null : <img className="offered-icon" src={screen.icon} alt="" />}
        <span className="ell">{screen.name}</span>
      </span>
    </button>
  );
}

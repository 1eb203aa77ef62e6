import { isolateSource } from "../../document/edit.ts";
import { canBeIsolated, hasPicture, type Source } from "../../document/source.ts";
import { MAX_ISOLATED } from "../../document/studio-document.ts";
import { isolatedBitrate, type Size } from "../media/isolated/isolated-shape.ts";
import { useServices, useShow } from "../services.ts";
import { choiceOf } from "../sources/source-choice.ts";
import { SourceIcon } from "../sources/source-icon.tsx";
import { useCapture } from "../sources/use-capture.ts";
import { bitrate, fileSize } from "../strings/figures.ts";
import { recordingStrings } from "../strings/recording.ts";

const words = recordingStrings.isolated;
/** bits/s of the sound of a source. */
const SOUND = 160_000;

/** Which sources get films of their own, and what that costs. */
export function IsolatedChoice() {
  const document = useShow((state) => state.document);
  const { media } = useServices();
  const sources = document.sources.filter(canBeIsolated);
  const chosen = sources.filter(({ id }) => document.isolated.includes(id));
  const bits = chosen.reduce((sum, source) => {
    const { width = 0, height = 0 } = media.captures.get(source.id) ?? {};
    const size: Size = width > 0 ? { width, height } : document.canvas;
    return sum + (hasPicture(source) ? isolatedBitrate(size, document.canvas.frame_rate) : 0) + SOUND;
  }, 0);
  return (
    <fieldset className="isolated-choice">
      <legend>{words.title}</legend>
      <p className="hint">{sources.length === 0 ? words.none : words.detail}</p>
      {sources.map((source) => (
        <IsolatedSource
          key={source.id}
          source={source}
          chosen={chosen.includes(source)}
          full={chosen.length >= MAX_ISOLATED}
        />
      ))}
      {chosen.length === 0 ? null : (
        <p className="hint" role="status">
          {words.cost(bitrate(bits), fileSize((bits / 8) * 3600))}
        </p>
      )}
    </fieldset>
  );
}

function IsolatedSource(props: { readonly source: Source; readonly chosen: boolean; readonly full: boolean }) {
  const { source, chosen, full } = props;
  const { show } = useServices();
  const { width = 0, height = 0 } = useCapture(source.id) ?? {};
  const id = `isolate-${source.id}`;
  const size = !hasPicture(source)
    ? recordingStrings.films.size(null, null)
    : width > 0
      ? recordingStrings.films.size(width, height)
      : "";
  return (
    <div className="row isolated-source">
      <input
        id={id}
        type="checkbox"
        className="switch"
        checked={chosen}
        disabled={full && !chosen}
        title={full && !chosen ? words.most(MAX_ISOLATED) : undefined}
        onChange={({ target: { checked } }) =>
          show.change(words.step(source.name, checked), (before) => isolateSource(before, source.id, checked))
        }
      />
      <SourceIcon kind={choiceOf(source)} />
      <label htmlFor={id} className="ell grow">
        {source.name}
      </label>
      <span className="label num">{size}</span>
    </div>
  );
}

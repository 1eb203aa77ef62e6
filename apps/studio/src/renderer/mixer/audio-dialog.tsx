import type { AudioFilter } from "../../document/filter.ts";
import type { AudioSettings } from "../../document/source.ts";
import { useServices, useShow } from "../services.ts";
import { Dialog } from "../shell/dialog.tsx";
import { TrashIcon, UpIcon } from "../shell/icons.tsx";
import { NumberField } from "../shell/number-field.tsx";
import { mixerStrings } from "../strings/mixer.ts";
import { audibleSources, changeAudio, newFilter } from "./edit-audio.ts";

const words = mixerStrings.filterDialog;

type FieldName = keyof typeof words.fields;

interface Field {
  readonly name: FieldName;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly unit: string;
}

const field = (name: FieldName, min: number, max: number, unit: string, step = 1): Field => ({
  name,
  min,
  max,
  step,
  unit,
});

/** What of each filter can be turned; bounds are those of the document. */
const FIELDS: Record<AudioFilter["kind"], readonly Field[]> = {
  noise_suppression: [],
  gate: [
    field("open_at", -90, 0, "dB"),
    field("close_at", -90, 0, "dB"),
    field("attack", 0, 1000, "ms"),
    field("hold", 0, 5000, "ms", 10),
    field("release", 1, 5000, "ms", 10),
  ],
  compressor: [
    field("threshold", -60, 0, "dB"),
    field("ratio", 1, 20, ": 1", 0.5),
    field("knee", 0, 40, "dB"),
    field("attack", 0, 1000, "ms"),
    field("release", 0, 1000, "ms", 10),
    field("makeup", 0, 30, "dB", 0.5),
  ],
  limiter: [field("ceiling", -20, 0, "dB", 0.5), field("release", 1, 1000, "ms", 10)],
};
const KINDS = Object.keys(FIELDS) as AudioFilter["kind"][];

/** Filters, delay and balance of one source. */
export function AudioDialog({ sourceId, onClose }: { readonly sourceId: string; readonly onClose: () => void }) {
  const { show } = useServices();
  const source = useShow(({ document }) => audibleSources(document).find(({ id }) => id === sourceId));
  if (source === undefined) return null;
  const { audio, name } = source;
  const change = (label: string, changes: Partial<AudioSettings>, gesture?: string) =>
    show.change(label, (document) => changeAudio(document, sourceId, (before) => ({ ...before, ...changes })), gesture);
  const changeFilter = (changed: AudioFilter, gesture?: string) =>
    change(
      words.change(words.kinds[changed.kind]),
      { filters: audio.filters.map((filter) => (filter.id === changed.id ? changed : filter)) },
      gesture,
    );
  const done = () => show.endGesture();
  return (
    <Dialog title={words.title(name)} onClose={onClose}>
      <div className="form">
        <div className="form-row even">
          <div className="field">
            <span className="label">{words.delay}</span>
            <NumberField
              label={words.delay}
              value={audio.delay}
              min={0}
              max={5000}
              step={10}
              unit="ms"
              onChange={(delay) => change(words.changeDelay, { delay: Math.round(delay) }, `delay:${sourceId}`)}
              onDone={done}
            />
            <span className="hint">{words.delayHint}</span>
          </div>
          <div className="field">
            <span className="label">{words.pan}</span>
            <NumberField
              label={words.pan}
              value={Math.round(audio.pan * 100)}
              min={-100}
              max={100}
              step={5}
              onChange={(pan) => change(words.changePan, { pan: pan / 100 }, `pan:${sourceId}`)}
              onDone={done}
            />
            <span className="hint">{words.panHint}</span>
          </div>
        </div>
        <fieldset>
          <legend>{words.filters}</legend>
          {audio.filters.length === 0 ? <p className="label">{words.none}</p> : null}
          <ol className="rows filters">
            {audio.filters.map((filter, index) => {
              const title = words.kinds[filter.kind];
              const remove = () =>
                change(words.remove(title), { filters: audio.filters.filter(({ id }) => id !== filter.id) });
              const up = () => {
                const filters = audio.filters.toSpliced(index, 1).toSpliced(index - 1, 0, filter);
                change(words.up(title), { filters });
              };
              return (
                <li key={filter.id}>
                  <div className="grow">
                    <div className="row">
                      <label className="check grow">
                        <input
                          type="checkbox"
                          checked={filter.enabled}
                          aria-label={words.enabled(title)}
                          onChange={(event) => changeFilter({ ...filter, enabled: event.target.checked })}
                        />
                        <strong>{title}</strong>
                        <span className="label ell">{words.hints[filter.kind]}</span>
                      </label>
                      <button
                        type="button"
                        className="icon-btn"
                        disabled={index === 0}
                        aria-label={words.up(title)}
                        onClick={up}
                      >
                        <UpIcon />
                      </button>
                      <button type="button" className="icon-btn" aria-label={words.remove(title)} onClick={remove}>
                        <TrashIcon />
                      </button>
                    </div>
                    <FilterFields filter={filter} onChange={changeFilter} onDone={done} />
                  </div>
                </li>
              );
            })}
          </ol>
        </fieldset>
        <div className="row wrap">
          <span className="label">{words.add}</span>
          {KINDS.map((kind) => (
            <button
              key={kind}
              type="button"
              className="btn small"
              disabled={audio.filters.length >= 16}
              title={words.hints[kind]}
              onClick={() => change(words.kinds[kind], { filters: [...audio.filters, newFilter(kind)] })}
            >
              {words.kinds[kind]}
            </button>
          ))}
        </div>
      </div>
    </Dialog>
  );
}

function FilterFields(props: {
  readonly filter: AudioFilter;
  readonly onChange: (filter: AudioFilter, gesture: string) => void;
  readonly onDone: () => void;
}) {
  const { filter, onChange, onDone } = props;
  const values = filter as unknown as Readonly<Record<FieldName, number>>;
  const fields = FIELDS[filter.kind];
  if (fields.length === 0) return null;
  return (
    <div className="filter-fields">
      {fields.map(({ name, min, max, step, unit }) => (
        <div key={name} className="field">
          <span className="label">{words.fields[name]}</span>
          <NumberField
            label={words.fields[name]}
            value={values[name]}
            min={min}
            max={max}
            step={step}
            unit={unit}
            onChange={(value) => onChange({ ...filter, [name]: value }, `${filter.id}:${name}`)}
            onDone={onDone}
          />
        </div>
      ))}
    </div>
  );
}

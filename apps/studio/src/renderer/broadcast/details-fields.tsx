import type { BroadcastState } from "@klieg/protocol";
import { broadcastStrings as words } from "../strings/broadcast.ts";
import { Choice } from "./choice.tsx";
import { focusedFirst } from "./focused-first.ts";

export type BroadcastWords = Pick<BroadcastState, "title" | "category" | "visibility">;

/** Title, category and who may watch. */
export function DetailsFields(props: {
  readonly value: BroadcastWords;
  readonly onChange: (value: BroadcastWords) => void;
}) {
  const { value, onChange } = props;
  const kinds = ["public", "unlisted", "private"] as const;
  return (
    <>
      <div className="form-row">
        <label className="field">
          <span className="label">{words.title}</span>
          <input
            className="input"
            value={value.title}
            maxLength={120}
            placeholder={words.titlePlaceholder}
            // biome-ignore lint/a11y/noAutofocus: the dialog was just opened to type this.
            autoFocus
            ref={focusedFirst}
            onChange={(event) => onChange({ ...value, title: event.target.value })}
          />
        </label>
        <label className="field">
          <span className="label">{words.category}</span>
          <input
            className="input"
            value={value.category}
            maxLength={60}
            placeholder={words.categoryPlaceholder}
            onChange={(event) => onChange({ ...value, category: event.target.value })}
          />
        </label>
      </div>
      <Choice
        legend={words.visibility}
        value={value.visibility}
        options={kinds.map((kind) => ({ value: kind, ...words.visibilities[kind] }))}
        onChange={(visibility) => onChange({ ...value, visibility })}
      />
    </>
  );
}

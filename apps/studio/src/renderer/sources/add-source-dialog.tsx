import { useRef, useState } from "react";
import type { Source } from "../../document/source.ts";
import { useServices, useShow } from "../services.ts";
import { Dialog } from "../shell/dialog.tsx";
import { workScene } from "../stage/layers.ts";
import { useStage } from "../stage/use-stage.ts";
import { strings } from "../strings.ts";
import { addExisting, addNewSource } from "./add-source.ts";
import { DevicePreviewBox } from "./device-preview.tsx";
import { Field } from "./field-row.tsx";
import { FileChoice } from "./file-choice.tsx";
import { freeName, newSource } from "./new-source.ts";
import { NewStream } from "./new-stream.tsx";
import { SOURCE_CHOICES, type SourceChoice } from "./source-choice.ts";
import { SourceIcon } from "./source-icon.tsx";
import { SourceSettings } from "./source-settings.tsx";
import { useDevicePreview } from "./use-device-preview.ts";

/** Asks what kind of source is to be added, then for what that kind needs. */
export function AddSourceDialog({ onClose }: { readonly onClose: () => void }) {
  const adding = useStage((state) => state.adding);
  const [choice, setChoice] = useState<SourceChoice | undefined>(adding);
  const title = choice === undefined ? strings.sources.addTitle : strings.sources.kinds[choice];
  return (
    <Dialog title={title} onClose={onClose} className="add-source">
      {choice === undefined ? (
        <Kinds onChoose={setChoice} onClose={onClose} />
      ) : (
        <NewSource key={choice} choice={choice} onBack={() => setChoice(undefined)} onClose={onClose} />
      )}
    </Dialog>
  );
}

function Kinds(props: { readonly onChoose: (choice: SourceChoice) => void; readonly onClose: () => void }) {
  const { onChoose, onClose } = props;
  const services = useServices();
  const document = useShow((state) => state.document);
  const here = new Set(workScene(document).items.map(({ source }) => source));
  const elsewhere = document.sources.filter(({ id }) => !here.has(id));
  const words = strings.sources;
  return (
    <>
      <ul className="kinds">
        {SOURCE_CHOICES.map((choice) => (
          <li key={choice}>
            <button type="button" onClick={() => onChoose(choice)}>
              <SourceIcon kind={choice} />
              <span>
                <span className="h">{words.kinds[choice]}</span>
                <span className="label">{words.kindHints[choice]}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {elsewhere.length === 0 ? null : (
        <section className="existing">
          <h3 className="h">{words.existing}</h3>
          <p className="label">{words.existingHint}</p>
          <ul className="existing-list">
            {elsewhere.map((source) => (
              <li key={source.id}>
                <button
                  type="button"
                  className="btn"
                  onClick={() => {
                    addExisting(services, source);
                    onClose();
                  }}
                >
                  <SourceIcon kind={source.kind} />
                  {source.name}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

interface NewSourceProps {
  readonly choice: SourceChoice;
  readonly onBack: () => void;
  readonly onClose: () => void;
}

function NewSource(props: NewSourceProps) {
  const { choice } = props;
  if (choice === "camera" || choice === "microphone") return <NewDevice {...props} kind={choice} />;
  if (choice === "stream") return <NewStream {...props} />;
  return <NewOther {...props} />;
}

/** A new source with its name, as it is being filled in. */
function useDraft(choice: SourceChoice) {
  const { show } = useServices();
  const [draft, setDraft] = useState<Source>(() => {
    const source = newSource(show.document, choice === "browser_tab" ? "screen" : choice);
    if (source.kind !== "screen") return source;
    const name = freeName(show.document, strings.sources.kinds[choice]);
    return { ...source, name, surface: choice === "browser_tab" ? "browser_tab" : "screen" };
  });
  const [name, setName] = useState<string>();
  return {
    draft,
    change: (change: (source: Source) => Source) => setDraft(change),
    /** undefined until one is typed. */
    name,
    setName,
    /** The source as it is to be added. @param suggested its name where none was typed. */
    finished: (suggested?: string): Source => {
      const typed = name?.trim() ?? "";
      const own = typed === "" ? (suggested ?? draft.name) : typed;
      return { ...draft, name: freeName(show.document, own) };
    },
  };
}

function NameOf({ value, onChange }: { readonly value: string; readonly onChange: (name: string) => void }) {
  return (
    <Field label={strings.sources.name}>
      {(id) => (
        <input
          id={id}
          className="input"
          maxLength={80}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

function Foot(props: {
  readonly action: string;
  readonly disabled?: boolean;
  readonly onBack: () => void;
  readonly onAdd: () => void;
}) {
  const { action, disabled, onBack, onAdd } = props;
  return (
    <div className="dialog-foot inside">
      <button type="button" className="btn ghost" onClick={onBack}>
        {strings.sources.back}
      </button>
      <span className="grow" />
      <button type="button" className="btn arc" disabled={disabled} onClick={onAdd}>
        {action}
      </button>
    </div>
  );
}

function NewDevice(props: NewSourceProps & { readonly kind: "camera" | "microphone" }) {
  const { kind, onBack, onClose } = props;
  const services = useServices();
  const { draft, change, name, setName, finished } = useDraft(kind);
  const device = draft.kind === "camera" || draft.kind === "microphone" ? draft.device : undefined;
  const preview = useDevicePreview(kind, device?.id ?? "");
  const opened = preview.now.state === "live" ? preview.now.stream.getTracks()[0] : undefined;
  const suggested = cleanLabel(opened?.label);
  const add = () => {
    const source = finished(suggested);
    if (source.kind !== "camera" && source.kind !== "microphone") return;
    // The device that the browser chose is the one from now on, too.
    const settings = opened?.getSettings();
    const chosen = { id: source.device.id || (settings?.deviceId ?? ""), label: opened?.label ?? source.device.label };
    const label = chosen.label.slice(0, 200);
    addNewSource(services, { ...source, device: { id: chosen.id.slice(0, 200), label } } as Source, preview.take());
    onClose();
  };
  return (
    <div className="new-source device">
      <DevicePreviewBox kind={kind} preview={preview} />
      <div className="new-source-fields">
        <NameOf value={name ?? suggested ?? draft.name} onChange={setName} />
        {/* Names of devices are told once one may be used: then the list is made anew. */}
        <SourceSettings key={preview.now.state} source={draft} onChange={change} onDone={() => undefined} />
      </div>
      <Foot
        action={strings.sources.addAction}
        disabled={preview.now.state === "insecure" || preview.now.state === "none"}
        onBack={onBack}
        onAdd={add}
      />
    </div>
  );
}

/** Without the numbers that browsers put behind the names of devices. */
export function cleanLabel(label: string | undefined): string | undefined {
  const clean = label?.replace(/\s*\([0-9a-f]{4}:[0-9a-f]{4}\)\s*$/i, "").trim();
  return clean === "" ? undefined : clean;
}

function NewOther({ choice, onBack, onClose }: NewSourceProps) {
  const services = useServices();
  const { show, media, toasts } = services;
  const { draft, change, name, setName, finished } = useDraft(choice);
  const adding = useRef(false);
  const file = draft.kind === "image" || draft.kind === "media_file";
  const [fileName, setFileName] = useState<string>();

  const add = async () => {
    if (adding.current) return;
    adding.current = true;
    const source = finished(fileName);
    addNewSource(services, source);
    onClose();
    if (source.kind !== "screen") return;
    // Still in the click that asked for it, or the browser would not show its picker.
    const step = show.state.getState().undoLabel;
    if (await media.captures.pick(source.id)) return;
    if (show.state.getState().undoLabel === step) show.undo();
    toasts.show(strings.sources.pickCancelled);
  };
  const ready = draft.kind === "text" ? draft.text.trim() !== "" : !file || draft.path !== "-";
  return (
    <div className="new-source">
      <div className="new-source-fields">
        {draft.kind === "screen" ? (
          <p>{window.kliegDesktop !== undefined ? strings.sources.screenDetailApp : strings.sources.screenDetail}</p>
        ) : null}
        {draft.kind === "image" || draft.kind === "media_file" ? (
          <FileChoice
            kind={draft.kind}
            onFile={(asset) => {
              change((now) => ({ ...now, path: asset.id }) as Source);
              setFileName(asset.name.replace(/\.[^.]{1,5}$/, ""));
            }}
          />
        ) : null}
        <NameOf value={name ?? fileName ?? draft.name} onChange={setName} />
        <SourceSettings source={draft} onChange={change} onDone={() => undefined} />
      </div>
      <Foot
        action={draft.kind === "screen" ? strings.sources.pickAndAdd : strings.sources.addAction}
        disabled={!ready}
        onBack={onBack}
        onAdd={() => void add()}
      />
    </div>
  );
}

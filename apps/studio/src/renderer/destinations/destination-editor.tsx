import { useState } from "react";
import type { Destination } from "../../document/destination.ts";
import { Choice } from "../broadcast/choice.tsx";
import { useRequest } from "../broadcast/use-request.ts";
import { useServices } from "../services.ts";
import { savedShow } from "../state/saved-show.ts";
import { useEngine } from "../state/use-engine.ts";
import { controlStrings } from "../strings/control.ts";
import { destinationStrings as words } from "../strings/destinations.ts";
import { isWhole, tidied, withDestination, withoutDestination, worksInBrowser } from "./edit-destination.ts";

interface DestinationEditorProps {
  readonly destination: Destination;
  /** Whether it is not in the show yet. */
  readonly isNew: boolean;
  readonly onDone: () => void;
}

/** By where keys are kept. */
const KEY_HINTS = { keychain: words.keyKeychain, file: words.keyNone, session: words.keySession } as const;

/** One destination's address, way and key. The key is only ever written. */
export function DestinationEditor({ destination, isNew, onDone }: DestinationEditorProps) {
  const { engine, show } = useServices();
  const [draft, setDraft] = useState(destination);
  const [key, setKey] = useState("");
  const [passphrase, setPassphrase] = useState("");
  const [result, setResult] = useState<string>();
  const { busy, problem, ask } = useRequest();
  const holder = useEngine((state) => state.secrets.find((one) => one.holder === destination.id));
  const keptIn = useEngine((state) => state.welcome?.secrets ?? "file");
  const alone = useEngine((state) => state.welcome?.host === "browser");
  const { kind } = draft;
  const whole = isWhole(tidied(draft));

  /** Keeps what was typed: the address in the show, secrets with the engine, which uses them from the next attempt on. */
  const keep = async () => {
    const kept = tidied(draft);
    setDraft(kept);
    const label = isNew ? words.added(kept.name) : words.changed(kept.name);
    show.change(label, (document) => withDestination(document, kept));
    await savedShow(show);
    if (key.trim() !== "") await engine.setSecret(kept.id, "stream_key", key.trim());
    if (passphrase !== "") await engine.setSecret(kept.id, "passphrase", passphrase);
    // On air, what failed for want of it is tried with it.
    const typed = key.trim() !== "" || passphrase !== "";
    const given = engine.now.broadcast.destinations.find(({ id }) => id === kept.id);
    if (typed && given?.state === "failed") {
      await engine.link.request("retry_destination", { destination_id: kept.id });
    }
    setKey("");
    setPassphrase("");
    return kept;
  };
  const check = () =>
    ask(async () => {
      setResult(undefined);
      const kept = await keep();
      const { channel } = await engine.link.request("check_destination", { destination_id: kept.id });
      setResult(words.checked(channel));
      if (kept.kind !== "klieg" || channel === null || channel === kept.channel) return;
      const named = { ...kept, channel };
      setDraft(named);
      show.change(words.changed(kept.name), (document) => withDestination(document, named));
    });
  const save = async () => {
    if (await ask(keep)) onDone();
  };
  const remove = async () => {
    const gone = await ask(async () => {
      await engine.forgetSecrets(destination.id);
      show.change(words.removed(destination.name), (document) => withoutDestination(document, destination.id));
    });
    if (gone) onDone();
  };
  const keyHint = holder?.stream_key === true ? words.keyKept : KEY_HINTS[keptIn];
  return (
    <form
      className="form destination-editor"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <div className="form-row">
        <label className="field">
          <span className="label">{words.url}</span>
          <input
            className="input"
            value={draft.url}
            spellCheck={false}
            autoComplete="off"
            aria-invalid={draft.url !== "" && !whole}
            // biome-ignore lint/a11y/noAutofocus: the editor was just opened to type this.
            autoFocus
            onChange={(event) => setDraft({ ...draft, url: event.target.value })}
          />
          <span className="hint">{draft.url !== "" && !whole ? words.urlWrong[kind] : words.urlHints[kind]}</span>
        </label>
        <label className="field">
          <span className="label">{words.name}</span>
          <input
            className="input"
            value={draft.name}
            maxLength={80}
            onChange={(event) => setDraft({ ...draft, name: event.target.value })}
          />
        </label>
      </div>
      {draft.kind === "klieg" && !(alone && worksInBrowser(destination)) ? (
        <Choice
          legend={words.protocol}
          value={draft.protocol}
          options={(["srt", "whip"] as const).map((value) => ({ value, ...words.protocols[value] }))}
          onChange={(protocol) => setDraft({ ...draft, protocol })}
        />
      ) : null}
      <div className="form-row even">
        <label className="field">
          <span className="label">{kind === "srt" ? words.streamId : words.key}</span>
          <input
            className="input num"
            type="password"
            value={key}
            placeholder={holder?.stream_key === true ? "••••••••" : words.keyPlaceholder}
            autoComplete="off"
            spellCheck={false}
            maxLength={512}
            onChange={(event) => setKey(event.target.value)}
          />
          <span className="hint">{keyHint}</span>
        </label>
        {kind === "rtmp" || (draft.kind === "klieg" && draft.protocol === "whip") ? null : (
          <label className="field">
            <span className="label">{words.passphrase}</span>
            <input
              className="input num"
              type="password"
              value={passphrase}
              placeholder={holder?.passphrase === true ? "••••••••" : ""}
              autoComplete="off"
              maxLength={79}
              onChange={(event) => setPassphrase(event.target.value)}
            />
            <span className="hint">{words.passphraseHint}</span>
          </label>
        )}
      </div>
      {alone && !worksInBrowser(draft) ? <p className="notice">{words.needsApp}</p> : null}
      <p role="status" className={problem === undefined ? "success" : "problem"}>
        {problem ?? result}
      </p>
      <div className="row">
        {isNew ? null : (
          <button type="button" className="btn ghost" disabled={busy} onClick={() => void remove()}>
            {words.remove}
          </button>
        )}
        <span className="grow" />
        <button type="button" className="btn ghost" onClick={onDone}>
          {controlStrings.cancel}
        </button>
        <button type="button" className="btn" disabled={busy || !whole} onClick={() => void check()}>
          {busy ? words.checking : words.check}
        </button>
        <button type="submit" className="btn arc" disabled={busy || !whole}>
          {controlStrings.save}
        </button>
      </div>
    </form>
  );
}

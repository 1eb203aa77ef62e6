import { useEffect, useId, useRef, useState } from "react";
import type { Source } from "../../document/source.ts";
import type { Capture } from "../media/capture/capture.ts";
import { useServices } from "../services.ts";
import { streamStrings as words } from "../strings/streams.ts";
import { strings } from "../strings.ts";
import { addNewSource } from "./add-source.ts";
import { LivePicture } from "./device-preview.tsx";
import { freeName, newSource, type SourceOf } from "./new-source.ts";
import { isAddress, secretOf, splitPassword } from "./stream-address.ts";
import { NoFfmpeg, SecretInput, StreamFields } from "./stream-settings.tsx";
import { streamWords } from "./stream-words.ts";

/** A new stream: its address, a password where it takes one, and a try. */
export function NewStream({ onBack, onClose }: { readonly onBack: () => void; readonly onClose: () => void }) {
  const services = useServices();
  const { show, engine, media, toasts } = services;
  const [draft, setDraft] = useState(() => newSource(show.document, "stream") as SourceOf<"stream">);
  const [name, setName] = useState<string>();
  const [password, setPassword] = useState("");
  const [tried, setTried] = useState<SourceOf<"stream">>();
  const [capture, setCapture] = useState<Capture>();
  const secretKept = useRef(false);
  const added = useRef(false);
  const nameId = useId();
  const passwordId = useId();
  const secret = secretOf(draft.url);
  const ready = isAddress(draft.url.trim());

  useEffect(() => {
    if (tried === undefined) return;
    const trying = media.captures.tryOut(tried, setCapture);
    return () => trying[Symbol.dispose]();
  }, [tried, media]);
  useEffect(
    () => () => {
      // What was only tried leaves nothing behind.
      if (secretKept.current && !added.current) engine.forgetSecrets(draft.id).catch(() => undefined);
    },
    [engine, draft.id],
  );

  /** The source as it is to be opened, with its password where the engine looks for it. */
  const finished = async (): Promise<SourceOf<"stream">> => {
    const { url, password: typedInto } = splitPassword(draft.url.trim());
    const key = password === "" ? typedInto : password;
    if (key !== undefined && key !== "") {
      await engine.setSecret(draft.id, "passphrase", key);
      secretKept.current = true;
    }
    const own = name?.trim() ?? "";
    return { ...draft, url, name: freeName(show.document, own === "" ? draft.name : own) };
  };
  const change = (part: Partial<SourceOf<"stream">>) => {
    setDraft((now) => ({ ...now, ...part }));
    setTried(undefined);
    setCapture(undefined);
  };
  const failed = (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    toasts.show(words.passwordFailed(reason), { tone: "bad" });
  };
  const tryIt = () => {
    setCapture(undefined);
    finished().then(setTried, failed);
  };
  const add = () => {
    finished().then((source: Source) => {
      added.current = true;
      addNewSource(services, source);
      onClose();
    }, failed);
  };
  return (
    <div className="new-source stream">
      <Trial capture={capture} trying={tried !== undefined} ready={ready} onTry={tryIt} onStop={() => change({})} />
      <div className="new-source-fields">
        <NoFfmpeg />
        <div className="field">
          <label className="label" htmlFor={nameId}>
            {strings.sources.name}
          </label>
          <input
            id={nameId}
            className="input"
            maxLength={80}
            value={name ?? draft.name}
            onChange={(event) => setName(event.target.value)}
          />
        </div>
        <StreamFields
          source={draft}
          url={draft.url}
          onUrl={(url) => change({ url: url === "" ? " " : url })}
          onUrlTyped={() => undefined}
          onDevice={(url) => change({ url })}
          onChange={change}
        >
          {secret === undefined ? null : (
            <div className="field">
              <label className="label" htmlFor={passwordId}>
                {words[secret]}
              </label>
              <SecretInput
                id={passwordId}
                value={password}
                kept={false}
                onChange={(typed) => {
                  setPassword(typed);
                  change({});
                }}
              />
              {secret === "password" ? <p className="label">{words.passwordHint}</p> : null}
            </div>
          )}
        </StreamFields>
      </div>
      <div className="dialog-foot inside">
        <button type="button" className="btn ghost" onClick={onBack}>
          {strings.sources.back}
        </button>
        <span className="grow" />
        <button type="button" className="btn arc" disabled={!ready} onClick={add}>
          {strings.sources.addAction}
        </button>
      </div>
    </div>
  );
}

/** What comes from the address, or why nothing does. */
function Trial(props: {
  readonly capture: Capture | undefined;
  readonly trying: boolean;
  readonly ready: boolean;
  readonly onTry: () => void;
  readonly onStop: () => void;
}) {
  const { capture, trying, ready, onTry, onStop } = props;
  const video = capture?.video;
  const [stream, setStream] = useState<MediaStream>();
  useEffect(() => setStream(video === undefined ? undefined : new MediaStream([video])), [video]);
  const live = trying && capture?.state === "live" && capture.stream !== undefined;
  const failed = trying && capture?.problem !== undefined;
  return (
    <div className="stream-trial">
      {live && stream !== undefined ? (
        <LivePicture stream={stream} />
      ) : (
        <div className="device-preview message camera" role="status" title={capture?.problem?.detail}>
          <p>{failed ? capture?.problem?.message : trying ? words.trying : words.tryHint}</p>
          {trying && !failed ? null : (
            <button type="button" className="btn" disabled={!ready} onClick={onTry}>
              {failed ? words.tryAgain : words.tryIt}
            </button>
          )}
        </div>
      )}
      <div className="row stream-found">
        <div className="label grow" role="status">
          {live && capture?.stream !== undefined
            ? streamWords(capture.stream).map((line) => <p key={line}>{line}</p>)
            : null}
        </div>
        {trying ? (
          <button type="button" className="btn small ghost" onClick={onStop}>
            {words.stop}
          </button>
        ) : null}
      </div>
    </div>
  );
}

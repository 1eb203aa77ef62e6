import type { CaptureDevice } from "@klieg/protocol";
import { type ReactNode, useEffect, useState } from "react";
import { useServices } from "../services.ts";
import { useEngine } from "../state/use-engine.ts";
import { streamStrings as words } from "../strings/streams.ts";
import { CheckField, Field, SelectField } from "./field-row.tsx";
import type { SourceOf } from "./new-source.ts";
import type { SettingsOf } from "./settings-of.ts";
import { isAddress, isRtsp, secretOf, splitPassword } from "./stream-address.ts";
import { StreamFound } from "./stream-found.tsx";

type StreamSource = SourceOf<"stream">;

/** A stream of the show: where it comes from, how, and what comes. Its address counts once it is typed to the end. */
export function StreamSettings({ source, set }: SettingsOf<"stream">) {
  const { engine, media, toasts } = useServices();
  const [typed, setTyped] = useState<string>();
  const kept = useEngine((state) => state.secrets.some(({ holder, passphrase }) => holder === source.id && passphrase));
  const keep = (change: () => Promise<void>) => {
    change().then(
      () => media.captures.retry(source.id),
      (error: Error) => toasts.show(words.passwordFailed(error.message), { tone: "bad" }),
    );
  };
  const addressTyped = () => {
    if (typed === undefined) return;
    setTyped(undefined);
    const { url, password } = splitPassword(typed.trim());
    if (password !== undefined) keep(() => engine.setSecret(source.id, "passphrase", password));
    if (isAddress(url) && url !== source.url) set({ url });
  };
  return (
    <>
      <NoFfmpeg />
      <StreamFields
        source={source}
        url={typed ?? source.url}
        onUrl={setTyped}
        onUrlTyped={addressTyped}
        onDevice={(url) => set({ url })}
        onChange={set}
      >
        {secretOf(source.url) === undefined ? null : (
          <PasswordField
            kind={secretOf(source.url) ?? "password"}
            kept={kept}
            onTyped={(password) => keep(() => engine.setSecret(source.id, "passphrase", password))}
            onForget={() => keep(() => engine.forgetSecrets(source.id))}
          />
        )}
      </StreamFields>
      <StreamFound sourceId={source.id} />
    </>
  );
}

/** Says where nothing can be opened here, and what to do about it. */
export function NoFfmpeg() {
  const welcome = useEngine((state) => state.welcome);
  if (welcome === undefined || welcome.ffmpeg !== null) return null;
  return <p className="notice">{welcome.host === "browser" ? words.needsApp : words.noFfmpeg}</p>;
}

/** Address or device, and how it is opened. */
export function StreamFields(props: {
  readonly source: StreamSource;
  readonly url: string;
  readonly onUrl: (url: string) => void;
  readonly onUrlTyped: () => void;
  readonly onDevice: (url: string) => void;
  readonly onChange: (part: Partial<StreamSource>) => void;
  /** The secret's field, below the address that it belongs to. */
  readonly children: ReactNode;
}) {
  const { source, url, onUrl, onUrlTyped, onDevice, onChange, children } = props;
  const devices = useCaptureDevices();
  const device = devices.find((known) => known.url === source.url);
  const wrong = !isAddress(url.trim());
  return (
    <>
      {devices.length === 0 ? null : (
        <SelectField
          label={words.from}
          value={device?.url ?? ""}
          choices={[
            { value: "", label: words.fromAddress },
            ...devices.map(({ url: value, name: label }) => ({ value, label })),
          ]}
          onChange={(chosen) => onDevice(chosen === "" ? "rtsp://" : chosen)}
        />
      )}
      {device !== undefined ? null : (
        <Field label={words.address} hint={wrong ? words.addressProblem : words.addressHint}>
          {(id) => (
            <input
              id={id}
              className="input"
              type="text"
              inputMode="url"
              spellCheck={false}
              autoComplete="off"
              placeholder={words.addressExample}
              aria-invalid={wrong}
              maxLength={2000}
              value={url}
              onChange={(event) => onUrl(event.target.value)}
              onBlur={onUrlTyped}
              onKeyDown={(event) => {
                if (event.key === "Enter") onUrlTyped();
              }}
            />
          )}
        </Field>
      )}
      {children}
      {isRtsp(url) ? (
        <SelectField
          label={words.transport}
          value={source.transport}
          choices={(["auto", "tcp", "udp"] as const).map((value) => ({ value, label: words.transports[value] }))}
          onChange={(transport) => onChange({ transport })}
        />
      ) : null}
      <CheckField
        label={words.lowLatency}
        checked={source.low_latency}
        onChange={(low_latency) => onChange({ low_latency })}
      />
      {source.low_latency ? <p className="label">{words.lowLatencyHint}</p> : null}
      <CheckField
        label={words.hardwareDecode}
        checked={source.hardware_decode}
        onChange={(hardware_decode) => onChange({ hardware_decode })}
      />
    </>
  );
}

/** A secret that goes to the engine when it is typed to the end, and is not seen again. */
function PasswordField(props: {
  readonly kind: "password" | "passphrase";
  readonly kept: boolean;
  readonly onTyped: (password: string) => void;
  readonly onForget: () => void;
}) {
  const { kind, kept, onTyped, onForget } = props;
  const [password, setPassword] = useState("");
  const typed = () => {
    if (password === "") return;
    onTyped(password);
    setPassword("");
  };
  return (
    <Field
      label={words[kind]}
      {...(kept ? { hint: words.passwordKept } : kind === "password" ? { hint: words.passwordHint } : {})}
    >
      {(id) => (
        <span className="row">
          <SecretInput id={id} value={password} kept={kept} onChange={setPassword} onTyped={typed} />
          {kept ? (
            <button type="button" className="btn small ghost" onClick={onForget}>
              {words.forgetPassword}
            </button>
          ) : null}
        </span>
      )}
    </Field>
  );
}

export function SecretInput(props: {
  readonly id: string;
  readonly value: string;
  readonly kept: boolean;
  readonly onChange: (value: string) => void;
  readonly onTyped?: () => void;
}) {
  const { id, value, kept, onChange, onTyped } = props;
  return (
    <input
      id={id}
      className="input grow"
      type="password"
      autoComplete="off"
      maxLength={512}
      placeholder={kept ? "••••••••" : ""}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      onBlur={onTyped}
      onKeyDown={(event) => {
        if (event.key === "Enter") onTyped?.();
      }}
    />
  );
}

/** Capture cards and cameras of the engine's machine, as they are when the form is opened. */
function useCaptureDevices(): readonly CaptureDevice[] {
  const { link } = useServices();
  const [devices, setDevices] = useState<readonly CaptureDevice[]>([]);
  useEffect(() => {
    let gone = false;
    link.request("list_capture_devices", {}).then(
      ({ devices: found }) => {
        if (!gone) setDevices(found);
      },
      // Without a list an address can be typed all the same.
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [link]);
  return devices;
}

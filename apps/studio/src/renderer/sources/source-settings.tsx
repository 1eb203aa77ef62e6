import type { Source } from "../../document/source.ts";
import { useShow } from "../services.ts";
import { NumberField } from "../shell/number-field.tsx";
import { strings } from "../strings.ts";
import { CheckField, ColourField, Field, SelectField } from "./field-row.tsx";
import type { SourceOf } from "./new-source.ts";
import type { SettingsOf } from "./settings-of.ts";
import { StreamFound } from "./stream-found.tsx";
import { StreamSettings } from "./stream-settings.tsx";
import { useDevices } from "./use-devices.ts";

/** What a kind of source is made of. The add dialog and the properties show the same fields. */
export function SourceSettings(props: {
  readonly source: Source;
  /** @param what of it is changed: changes of the same thing in a row are one step of undo. */
  readonly onChange: (change: (source: Source) => Source, what?: string) => void;
  readonly onDone: () => void;
}) {
  const { source, onChange, onDone } = props;
  const set =
    <Kind extends Source["kind"]>(_: SourceOf<Kind>) =>
    (part: Partial<SourceOf<Kind>>, keep = false) => {
      onChange((now) => ({ ...now, ...part }) as Source, Object.keys(part).join());
      if (!keep) onDone();
    };
  switch (source.kind) {
    case "camera":
      return <CameraSettings source={source} set={set(source)} />;
    case "microphone":
      return <MicrophoneSettings source={source} set={set(source)} />;
    case "screen":
      return <ScreenSettings source={source} set={set(source)} />;
    case "image":
      return <AssetChoice source={source} kind="image" set={set(source)} />;
    case "media_file":
      return (
        <>
          <AssetChoice source={source} kind="media_file" set={set(source)} />
          <MediaFileSettings source={source} set={set(source)} />
          <StreamFound sourceId={source.id} />
        </>
      );
    case "text":
      return <TextSettings source={source} set={set(source)} onDone={onDone} />;
    case "colour":
      return (
        <ColourField
          label={strings.sources.colour}
          value={source.colour}
          opacity={strings.sources.colourOpacity}
          onChange={(colour) => set(source)({ colour }, true)}
          onDone={onDone}
        />
      );
    case "stream":
      return <StreamSettings source={source} set={set(source)} />;
    case "guest":
      return (
        <SelectField
          label={strings.sources.seat}
          value={source.seat}
          choices={Array.from({ length: 16 }, (_, at) => ({ value: at + 1, label: strings.sources.seatName(at + 1) }))}
          onChange={(seat) => set(source)({ seat })}
          hint={strings.sources.seatHint}
        />
      );
  }
}

export function DeviceField(props: {
  readonly kind: "camera" | "microphone";
  readonly device: { readonly id: string; readonly label: string };
  readonly onChange: (device: { id: string; label: string }) => void;
}) {
  const { kind, device, onChange } = props;
  const devices = useDevices(kind);
  const choices = devices.map(({ id, label }, at) => ({
    value: id,
    label: label === "" ? strings.sources.unnamedDevice(at + 1) : label,
  }));
  // A device that is unplugged stays chosen: it comes back.
  if (device.id !== "" && !devices.some(({ id }) => id === device.id)) {
    choices.unshift({ value: device.id, label: device.label || device.id });
  }
  if (choices.length === 0) return <p className="notice">{strings.sources.noDevices[kind]}</p>;
  return (
    <SelectField
      label={strings.sources.device}
      value={device.id === "" ? (choices[0]?.value ?? "") : device.id}
      choices={choices}
      onChange={(id) => onChange({ id, label: devices.find((found) => found.id === id)?.label ?? device.label })}
    />
  );
}

const RESOLUTIONS = [
  [640, 360],
  [1280, 720],
  [1920, 1080],
  [2560, 1440],
  [3840, 2160],
] as const;
const FRAME_RATES = [15, 24, 25, 30, 50, 60];

function CameraSettings({ source, set }: SettingsOf<"camera">) {
  const { width, height, frame_rate } = source;
  const sizes = RESOLUTIONS.map(([across, down]) => ({ value: `${across}×${down}`, label: `${across} × ${down}` }));
  return (
    <>
      <DeviceField kind="camera" device={source.device} onChange={(device) => set({ device })} />
      <div className="number-grid">
        <SelectField
          label={strings.sources.resolution}
          value={width === null || height === null ? "" : `${width}×${height}`}
          choices={[{ value: "", label: strings.sources.resolutionAuto }, ...sizes]}
          onChange={(chosen) => {
            const [across, down] = chosen.split("×").map(Number);
            set(chosen === "" ? { width: null, height: null } : { width: across ?? null, height: down ?? null });
          }}
        />
        <SelectField
          label={strings.sources.frameRate}
          value={frame_rate ?? 0}
          choices={[
            { value: 0, label: strings.sources.resolutionAuto },
            ...FRAME_RATES.map((rate) => ({ value: rate, label: String(rate) })),
          ]}
          onChange={(rate) => set({ frame_rate: rate === 0 ? null : rate })}
        />
      </div>
    </>
  );
}

function MicrophoneSettings({ source, set }: SettingsOf<"microphone">) {
  return (
    <>
      <DeviceField kind="microphone" device={source.device} onChange={(device) => set({ device })} />
      <CheckField
        label={strings.sources.echoCancellation}
        checked={source.echo_cancellation}
        onChange={(echo_cancellation) => set({ echo_cancellation })}
      />
    </>
  );
}

export function ScreenSettings({ source, set }: SettingsOf<"screen">) {
  return (
    <>
      <CheckField
        label={strings.sources.withAudio}
        checked={source.with_audio}
        onChange={(with_audio) => set({ with_audio })}
      />
      <CheckField
        label={strings.sources.withPointer}
        checked={source.with_pointer}
        onChange={(with_pointer) => set({ with_pointer })}
      />
    </>
  );
}

function AssetChoice(props: {
  readonly source: SourceOf<"image" | "media_file">;
  readonly kind: "image" | "media_file";
  readonly set: (part: { path: string }) => void;
}) {
  const { source, kind, set } = props;
  const assets = useShow((state) => state.assets);
  const fitting = assets.filter(({ media_type }) => fits(kind, media_type));
  if (fitting.length === 0) return null;
  const known = fitting.some(({ id }) => id === source.path);
  return (
    <SelectField
      label={strings.sources.file}
      value={source.path}
      choices={[
        ...(known ? [] : [{ value: source.path, label: "—" }]),
        ...fitting.map(({ id, name }) => ({ value: id, label: name })),
      ]}
      onChange={(path) => set({ path })}
    />
  );
}

/** Whether a file is of the kind that a source shows. */
export function fits(kind: "image" | "media_file", mediaType: string): boolean {
  return kind === "image" ? mediaType.startsWith("image/") : /^(video|audio)\//.test(mediaType);
}

function MediaFileSettings({ source, set }: SettingsOf<"media_file">) {
  return (
    <>
      <CheckField label={strings.sources.loop} checked={source.loop} onChange={(loop) => set({ loop })} />
      <SelectField
        label={strings.sources.onAir}
        value={source.on_air}
        choices={(["restart", "continue"] as const).map((value) => ({
          value,
          label: strings.sources.onAirChoices[value],
        }))}
        onChange={(on_air) => set({ on_air })}
      />
    </>
  );
}

/** Typefaces that are there on every machine: those of the studio itself, and the system's own. */
const FONTS = [
  { value: "Inter Variable", label: strings.sources.fonts.sans },
  { value: "JetBrains Mono Variable", label: strings.sources.fonts.mono },
  { value: "system-ui", label: strings.sources.fonts.system },
];

function TextSettings({ source, set, onDone }: SettingsOf<"text"> & { readonly onDone: () => void }) {
  const words = strings.sources;
  const fonts = FONTS.some(({ value }) => value === source.font)
    ? FONTS
    : [...FONTS, { value: source.font, label: source.font }];
  return (
    <>
      <Field label={words.text}>
        {(id) => (
          <textarea
            id={id}
            className="textarea"
            rows={2}
            maxLength={4000}
            value={source.text}
            onChange={(event) => set({ text: event.target.value }, true)}
            onBlur={onDone}
          />
        )}
      </Field>
      <div className="number-grid">
        <SelectField label={words.font} value={source.font} choices={fonts} onChange={(font) => set({ font })} />
        <SelectField
          label={words.weight}
          value={source.weight}
          choices={Object.entries(words.weights).map(([weight, label]) => ({ value: Number(weight), label }))}
          onChange={(weight) => set({ weight })}
        />
        <Field label={words.fontSize}>
          {() => (
            <NumberField
              label={words.fontSize}
              value={source.font_size}
              min={4}
              max={1000}
              step={1}
              unit="px"
              onChange={(font_size) => set({ font_size }, true)}
              onDone={onDone}
            />
          )}
        </Field>
        <SelectField
          label={words.align}
          value={source.align}
          choices={(["left", "centre", "right"] as const).map((value) => ({ value, label: words.aligns[value] }))}
          onChange={(align) => set({ align })}
        />
      </div>
      <ColourField
        label={words.colour}
        value={source.colour}
        opacity={words.colourOpacity}
        onChange={(colour) => set({ colour }, true)}
        onDone={onDone}
      />
      <CheckField
        label={words.backgroundOn}
        checked={source.background !== null}
        onChange={(on) => set({ background: on ? "#14110edb" : null })}
      />
      {source.background === null ? null : (
        <ColourField
          label={words.background}
          value={source.background}
          opacity={words.colourOpacity}
          onChange={(background) => set({ background }, true)}
          onDone={onDone}
        />
      )}
    </>
  );
}

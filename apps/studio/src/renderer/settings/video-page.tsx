import type { ListedEncoder } from "@klieg/protocol";
import { useEffect, useState } from "react";
import type { Canvas } from "../../document/canvas.ts";
import type { Encoding } from "../../document/encoding.ts";
import { useBrowserEncoders } from "../broadcast/encoder-line.tsx";
import { useServices, useShow } from "../services.ts";
import { NumberField } from "../shell/number-field.tsx";
import { useEngine } from "../state/use-engine.ts";
import { settingsStrings } from "../strings/settings.ts";
import { resizeCanvas } from "./apply-proposal.ts";
import { MachineTestBox } from "./machine-test-box.tsx";
import { SettingRow } from "./setting-row.tsx";

const words = settingsStrings.video;

const SIZES = [
  [640, 360],
  [960, 540],
  [1280, 720],
  [1920, 1080],
  [2560, 1440],
  [3840, 2160],
  [720, 1280],
  [1080, 1920],
  [1080, 1080],
] as const;
const RATES: readonly Canvas["frame_rate"][] = [24, 25, 30, 50, 60];

/** Picture, encoder, bitrate, and the test that finds them. */
export function VideoPage() {
  const { show } = useServices();
  const { canvas, encoding } = useShow((state) => state.document);
  const onAir = useEngine((state) => state.broadcast.state !== "idle");
  const changeEncoding = (changes: Partial<Encoding>, gesture?: string) =>
    show.change(words.change, (document) => ({ ...document, encoding: { ...document.encoding, ...changes } }), gesture);
  const size = `${canvas.width}x${canvas.height}`;
  const known = SIZES.some(([width, height]) => width === canvas.width && height === canvas.height);
  return (
    <>
      {onAir ? <p className="notice">{settingsStrings.notNow}</p> : null}
      <fieldset disabled={onAir}>
        <MachineTestBox />
        <SettingRow title={words.size} htmlFor="video-size">
          <select
            id="video-size"
            className="select"
            value={size}
            onChange={(event) => {
              const [width, height] = event.target.value.split("x").map(Number);
              if (width === undefined || height === undefined) return;
              show.change(words.changePicture, (document) => resizeCanvas(document, { width, height }));
            }}
          >
            {known ? null : <option value={size}>{words.customSize(canvas.width, canvas.height)}</option>}
            {SIZES.map(([width, height]) => (
              <option key={`${width}x${height}`} value={`${width}x${height}`}>
                {words.sizeOf(width, height)}
              </option>
            ))}
          </select>
        </SettingRow>
        <SettingRow title={words.frameRate} htmlFor="video-rate">
          <select
            id="video-rate"
            className="select"
            value={canvas.frame_rate}
            onChange={(event) => {
              const rate = RATES.find((one) => one === Number(event.target.value));
              if (rate === undefined) return;
              show.change(words.changePicture, (document) => ({
                ...document,
                canvas: { ...document.canvas, frame_rate: rate },
              }));
            }}
          >
            {RATES.map((rate) => (
              <option key={rate} value={rate}>
                {rate}
              </option>
            ))}
          </select>
        </SettingRow>
        <EncoderRow canvas={canvas} encoding={encoding} onChange={(encoder) => changeEncoding({ encoder })} />
        <SettingRow title={words.bitrate} detail={words.bitrateHint}>
          <NumberField
            label={words.bitrate}
            value={encoding.video_bitrate / 1e6}
            min={0.2}
            max={60}
            step={0.5}
            unit="Mb/s"
            onChange={(value) => changeEncoding({ video_bitrate: Math.round(value * 1e6) }, "video_bitrate")}
            onDone={() => show.endGesture()}
          />
        </SettingRow>
        <SettingRow title={words.adaptive} detail={words.adaptiveDetail} htmlFor="video-adaptive">
          <input
            id="video-adaptive"
            type="checkbox"
            className="switch"
            checked={encoding.adaptive}
            onChange={(event) => changeEncoding({ adaptive: event.target.checked })}
          />
        </SettingRow>
        <SettingRow title={words.audioBitrate} htmlFor="audio-bitrate">
          <select
            id="audio-bitrate"
            className="select"
            value={encoding.audio_bitrate}
            onChange={(event) => changeEncoding({ audio_bitrate: Number(event.target.value) })}
          >
            {[
              ...new Set([64, 96, 128, 160, 192, 256, 320].map((kilobits) => kilobits * 1000)).add(
                encoding.audio_bitrate,
              ),
            ]
              .toSorted((one, other) => one - other)
              .map((bits) => (
                <option key={bits} value={bits}>
                  {bits / 1000} kb/s
                </option>
              ))}
          </select>
        </SettingRow>
        <SettingRow title={words.keyframes} htmlFor="keyframes">
          <select
            id="keyframes"
            className="select"
            value={encoding.keyframe_interval}
            onChange={(event) => changeEncoding({ keyframe_interval: Number(event.target.value) })}
          >
            {[1, 2, 3, 4].map((seconds) => (
              <option key={seconds} value={seconds}>
                {seconds} s
              </option>
            ))}
          </select>
        </SettingRow>
      </fieldset>
    </>
  );
}

function EncoderRow(props: {
  readonly canvas: Canvas;
  readonly encoding: Encoding;
  readonly onChange: (encoder: string) => void;
}) {
  const { canvas, encoding, onChange } = props;
  const { engine } = useServices();
  // Listing tries each of them, which a show on air can do without.
  const ffmpeg = useEngine(
    ({ linked, welcome, broadcast }) => linked && welcome?.ffmpeg != null && broadcast.state === "idle",
  );
  const browsers = useBrowserEncoders(canvas, encoding.video_bitrate);
  const [listed, setListed] = useState<readonly ListedEncoder[]>([]);
  useEffect(() => {
    if (!ffmpeg) return;
    let gone = false;
    engine.link.request("list_encoders", {}).then(
      ({ encoders }) => {
        if (!gone) setListed(encoders);
      },
      // The browser's own are still there to be chosen.
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [engine, ffmpeg]);
  const working = listed.filter(({ works }) => works);
  const names = [...(browsers ?? []).map(({ name }) => name), ...working.map(({ name }) => name), "auto"];
  const first = browsers?.[0];
  return (
    <SettingRow
      title={words.encoder}
      detail={encoding.encoder === "auto" && first !== undefined ? words.autoDetail(first.label) : undefined}
      htmlFor="encoder"
    >
      <select
        id="encoder"
        className="select"
        value={encoding.encoder}
        onChange={(event) => onChange(event.target.value)}
      >
        <option value="auto">{words.auto}</option>
        {browsers?.map(({ name, label }) => (
          <option key={name} value={name}>
            {words.byBrowser(label)}
          </option>
        ))}
        {working.map(({ name, label }) => (
          <option key={name} value={name}>
            {words.byFfmpeg(label)}
          </option>
        ))}
        {names.includes(encoding.encoder) ? null : (
          <option value={encoding.encoder}>{words.byFfmpeg(encoding.encoder)}</option>
        )}
      </select>
    </SettingRow>
  );
}

import { useEffect, useRef, useState } from "react";
import { strings } from "../strings.ts";
import type { DevicePreview } from "./use-device-preview.ts";

/** What a camera sees, or how loud a microphone hears, or why it does not, with what to do. */
export function DevicePreviewBox(props: { readonly kind: "camera" | "microphone"; readonly preview: DevicePreview }) {
  const { kind, preview } = props;
  const { now, retry } = preview;
  const words = strings.sources;
  if (now.state === "live") {
    return kind === "camera" ? <LivePicture stream={now.stream} /> : <LiveLevel stream={now.stream} />;
  }
  const message = {
    asking: words.asking[kind],
    denied: words.denied[kind],
    none: words.noDevices[kind],
    in_use: words.inUse,
    insecure: words.insecure,
    failed: now.state === "failed" ? words.deviceFailed(now.reason) : "",
  }[now.state];
  const helps = now.state === "denied" || now.state === "in_use" || now.state === "failed";
  return (
    <div className={`device-preview message ${kind}`} role="status">
      <p>{message}</p>
      {helps ? (
        <button type="button" className="btn" onClick={retry}>
          {words.retry}
        </button>
      ) : null}
    </div>
  );
}

export function LivePicture({ stream }: { readonly stream: MediaStream }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = stream;
  }, [stream]);
  return (
    <video
      ref={video}
      className="device-preview camera"
      aria-label={strings.sources.preview}
      autoPlay
      muted
      playsInline
    />
  );
}

/** dBFS that the meter's left end stands for. */
const QUIETEST = -60;

function LiveLevel({ stream }: { readonly stream: MediaStream }) {
  const [level, setLevel] = useState(QUIETEST);
  useEffect(() => {
    const context = new AudioContext();
    const source = context.createMediaStreamSource(stream);
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      let peak = 0;
      for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
      setLevel(Math.max(QUIETEST, 20 * Math.log10(peak || 1e-6)));
    }, 66);
    return () => {
      clearInterval(timer);
      source.disconnect();
      void context.close();
    };
  }, [stream]);
  return (
    <div className="device-preview level">
      <span className="label">{strings.sources.level}</span>
      <meter
        aria-label={strings.sources.level}
        className="level-meter"
        min={QUIETEST}
        max={0}
        value={level}
        style={{ "--level": `${(1 - level / QUIETEST) * 100}%` }}
      />
    </div>
  );
}

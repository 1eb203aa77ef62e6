import { useState } from "react";
import type { Source } from "../../document/source.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import { focusedFirst } from "../broadcast/focused-first.ts";
import { useServices } from "../services.ts";
import { withSource } from "../sources/add-source.ts";
import { DevicePreviewBox } from "../sources/device-preview.tsx";
import { newSource } from "../sources/new-source.ts";
import { useDevicePreview } from "../sources/use-device-preview.ts";
import { useDevices } from "../sources/use-devices.ts";
import { welcomeStrings } from "../strings/welcome.ts";

const words = welcomeStrings.devices;

type DeviceKind = "camera" | "microphone";

/** Camera and microphone, live, before they are in the show. */
export function DevicesStep({ onNext }: { readonly onNext: () => void }) {
  const { show, media } = useServices();
  const [camera, setCamera] = useState("");
  const [microphone, setMicrophone] = useState("");
  const picture = useDevicePreview("camera", camera);
  const sound = useDevicePreview("microphone", microphone);
  const cameras = useDevices("camera", picture.now.state);
  const microphones = useDevices("microphone", sound.now.state);
  const use = () => {
    const document = show.document;
    let changed = document;
    for (const [kind, preview] of [
      ["camera", picture],
      ["microphone", sound],
    ] as const) {
      if (preview.now.state !== "live") continue;
      const settings = preview.now.stream.getTracks()[0];
      const device = { id: settings?.getSettings().deviceId ?? "", label: settings?.label ?? "" };
      if (hasDevice(changed, kind, device.id)) continue;
      const source = { ...newSource(changed, kind), device } as Source;
      const stream = preview.take();
      if (stream !== undefined) media.captures.adopt(source.id, stream);
      changed = withSource(changed, source);
    }
    show.change(words.step, () => changed);
    onNext();
  };
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        use();
      }}
    >
      <div>
        <h1>{words.title}</h1>
        <p className="lead">{words.lead}</p>
      </div>
      <div className="welcome-devices">
        <div className="form">
          <DevicePreviewBox kind="camera" preview={picture} />
          <DeviceChoice label={words.camera} devices={cameras} value={camera} onChange={setCamera} />
        </div>
        <div className="form">
          <DevicePreviewBox kind="microphone" preview={sound} />
          <DeviceChoice label={words.microphone} devices={microphones} value={microphone} onChange={setMicrophone} />
          <p className="hint">{words.speak}</p>
        </div>
      </div>
      <div className="row welcome-foot">
        {/* biome-ignore lint/a11y/noAutofocus: the one next thing to do here. */}
        <button type="submit" className="btn arc" autoFocus ref={focusedFirst}>
          {words.next}
        </button>
        <button type="button" className="btn ghost" onClick={onNext}>
          {welcomeStrings.skipStep}
        </button>
      </div>
    </form>
  );
}

function DeviceChoice(props: {
  readonly label: string;
  readonly devices: readonly { readonly id: string; readonly label: string }[];
  readonly value: string;
  readonly onChange: (id: string) => void;
}) {
  const { label, devices, value, onChange } = props;
  return (
    <label className="field">
      <span className="label">{label}</span>
      <select className="select" value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{words.first}</option>
        {devices
          .filter(({ id }) => id !== "default")
          .map((device, index) => (
            <option key={device.id} value={device.id}>
              {device.label === "" ? words.unnamed(index + 1) : device.label}
            </option>
          ))}
      </select>
    </label>
  );
}

/** Whether the show has a device already: going through the steps again adds nothing twice. */
function hasDevice(document: StudioDocument, kind: DeviceKind, id: string): boolean {
  return document.sources.some((source) => source.kind === kind && source.device.id === id);
}

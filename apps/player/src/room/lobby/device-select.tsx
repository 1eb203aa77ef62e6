import type { NamedDevice } from "../media/device-list.ts";
import { roomStrings } from "../room-strings.ts";

export interface DeviceSelectProps {
  readonly label: string;
  readonly devices: readonly NamedDevice[];
  /** Null for the system's choice. */
  readonly chosen: string | null;
  readonly onChoose: (id: string | null) => void;
}

/** Which of the devices of a kind to use; the system's own choice comes first. */
export function DeviceSelect({ label, devices, chosen, onChoose }: DeviceSelectProps) {
  const words = roomStrings.lobby;
  // Chromium lists its own aliases for the system's choice beside the devices.
  const real = devices.filter(({ id }) => id !== "default" && id !== "communications");
  return (
    <select
      className="field"
      aria-label={label}
      value={real.some(({ id }) => id === chosen) ? (chosen ?? "") : ""}
      onChange={(event) => onChoose(event.currentTarget.value || null)}
    >
      <option value="">{words.systemDefault}</option>
      {real.map((device, index) => (
        <option key={device.id} value={device.id}>
          {device.label || words.unnamed(label, index + 1)}
        </option>
      ))}
    </select>
  );
}

import type { ComponentType } from "react";
import { ControlDialogs, SettingsButton } from "./broadcast/control-dialogs.tsx";
import { BroadcastTitle, OnAirBar, SendingChips } from "./broadcast/on-air-bar.tsx";
import { GuestsPanel } from "./guests/panel.tsx";
import { HealthLight, HealthPanel } from "./health/health-panel.tsx";
import { MixerPanel } from "./mixer/mixer-panel.tsx";
import { RecordButton } from "./recording/record-button.tsx";
import { guestStrings } from "./strings/guests.ts";
import { Welcome } from "./welcome/welcome.tsx";

/** A tab of the panel on the right. */
export interface PanelPart {
  readonly id: string;
  readonly title: string;
  readonly Panel: ComponentType;
}

/** What the other areas of the interface put into the shell. Each is rendered inside of the services. */
export interface StudioParts {
  /** In the top bar, right after the brand: the broadcast's title. */
  readonly title: readonly ComponentType[];
  /** In the top bar, at its right end: health, bitrate, viewers, on air, go live. */
  readonly top: readonly ComponentType[];
  /** Below the stage: the mixer on the left, health on the right. */
  readonly dock: readonly ComponentType[];
  /** Tabs beside the properties of the selected source. */
  readonly panels: readonly PanelPart[];
  /** Above everything: dialogs, first run, notices. They render nothing while they have nothing to say. */
  readonly overlays: readonly ComponentType[];
}

export const parts: StudioParts = {
  title: [BroadcastTitle],
  top: [HealthLight, SendingChips, RecordButton, OnAirBar, SettingsButton],
  dock: [MixerPanel, HealthPanel],
  panels: [{ id: "guests", title: guestStrings.title, Panel: GuestsPanel }],
  overlays: [ControlDialogs, Welcome],
};

import { useStore } from "zustand";
import { useCommands, useKeyLabel } from "../commands/use-commands.ts";
import { FiguresDialog } from "../health/figures-dialog.tsx";
import { AudioDialog } from "../mixer/audio-dialog.tsx";
import { RecordingsDialog } from "../recording/recordings-dialog.tsx";
import { useServices } from "../services.ts";
import { SettingsDialog } from "../settings/settings-dialog.tsx";
import { Icon } from "../shell/icons.tsx";
import { settingsStrings } from "../strings/settings.ts";
import { DetailsDialog } from "./details-dialog.tsx";
import { EndDialog } from "./end-dialog.tsx";
import { GoLiveDialog } from "./go-live-dialog.tsx";

/** The one dialog of the broadcast's that is open. */
export function ControlDialogs() {
  const { dialogs } = useServices();
  const { open } = useStore(dialogs);
  const close = () => dialogs.setState({ open: undefined });
  switch (open?.name) {
    case "go_live":
      return <GoLiveDialog onClose={close} />;
    case "end_stream":
      return <EndDialog onClose={close} />;
    case "details":
      return <DetailsDialog onClose={close} />;
    case "health":
      return <FiguresDialog onClose={close} />;
    case "settings":
      return <SettingsDialog page={open.page} onClose={close} />;
    case "recordings":
      return <RecordingsDialog onClose={close} />;
    case "audio_filters":
      return <AudioDialog sourceId={open.source} onClose={close} />;
    case undefined:
      return null;
  }
}

const GearIcon = () => (
  <Icon>
    <path d="M2.500 4.500h5m4 0h2M2.500 11.500h2m4 0h5" />
    <circle cx="9.500" cy="4.500" r="1.900" />
    <circle cx="6.500" cy="11.500" r="1.900" />
  </Icon>
);

export function SettingsButton() {
  const { dialogs } = useServices();
  const open = () => dialogs.setState({ open: { name: "settings", page: "general" } });
  useCommands([
    {
      id: "settings",
      group: "window",
      label: () => settingsStrings.command,
      keys: ["Control+Comma"],
      run: open,
    },
  ]);
  const key = useKeyLabel("settings");
  const title = key === undefined ? settingsStrings.button : `${settingsStrings.button} (${key})`;
  return (
    <button type="button" className="icon-btn" aria-label={settingsStrings.button} title={title} onClick={open}>
      <GearIcon />
    </button>
  );
}

import { useStore } from "zustand";
import { useServices } from "../services.ts";
import { Dialog } from "../shell/dialog.tsx";
import { useEngine } from "../state/use-engine.ts";
import { broadcastStrings as words } from "../strings/broadcast.ts";
import { focusedFirst } from "./focused-first.ts";
import { useRequest } from "./use-request.ts";

/** Asks once more before everybody's picture goes away. */
export function EndDialog({ onClose }: { readonly onClose: () => void }) {
  const { engine, health } = useServices();
  const broadcast = useEngine((state) => state.broadcast);
  const recording = useEngine((state) => state.recording.state === "recording");
  const recordsAlong = useEngine((state) => state.settings?.record_with_broadcast === true);
  const viewers = useStore(health.state, ({ sample }) => sample?.viewers);
  const { busy, problem, ask } = useRequest();
  const end = async () => {
    if (await ask(() => engine.link.request("stop_broadcast", {}))) onClose();
  };
  const { state, live_at: liveAt } = broadcast;
  return (
    <Dialog
      title={words.endTitle}
      onClose={onClose}
      footer={
        <>
          {/* biome-ignore lint/a11y/noAutofocus: Enter is to keep the show, not to end it. */}
          <button type="button" className="btn" autoFocus ref={focusedFirst} onClick={onClose}>
            {words.keepGoing}
          </button>
          <button type="button" className="btn live" disabled={busy} onClick={() => void end()}>
            {busy ? words.stopping : words.endStream}
          </button>
        </>
      }
    >
      <p>
        {state === "live" && liveAt !== null ? words.endLive(Date.now() - liveAt, viewers) : words.endPreview}{" "}
        {recording ? (recordsAlong ? words.endRecordingToo : words.endRecording) : null}
      </p>
      {problem === undefined ? null : (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </Dialog>
  );
}

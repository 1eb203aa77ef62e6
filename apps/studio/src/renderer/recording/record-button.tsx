import { wordsOf } from "../broadcast/use-request.ts";
import { useCommands, useKeyLabel } from "../commands/use-commands.ts";
import { actionFor } from "../notices/engine-notices.ts";
import { useServices } from "../services.ts";
import { Icon } from "../shell/icons.tsx";
import { useEngine } from "../state/use-engine.ts";
import { noticeStrings } from "../strings/notices.ts";
import { recordingStrings as words } from "../strings/recording.ts";
import "./recording.css";

const FilmsIcon = () => (
  <Icon>
    <rect x="2" y="4.500" width="12" height="9" rx="1.500" />
    <path d="M4 2.500h8M6.800 7.200v3.600L9.900 9z" />
  </Icon>
);

/** Begins and ends a recording, and shows how long and large it is; beside it the replay, where one is kept ready. */
export function RecordButton() {
  const { engine, toasts, dialogs } = useServices();
  const recording = useEngine((state) => state.recording);
  const replay = useEngine((state) => state.replay);
  // A tab without an engine of its own records nothing.
  const alone = useEngine((state) => state.welcome?.host === "browser");
  const linked = useEngine((state) => state.linked && !alone);
  const failed = (error: unknown) => toasts.show(wordsOf(error), { tone: "bad" });
  const runs = recording.state === "recording" || recording.state === "starting";
  const toggle = () => {
    // Where it was kept is said by the notices, whoever ends it.
    engine.link.request(runs ? "stop_recording" : "start_recording", {}).catch(failed);
  };
  const saveReplay = () => {
    engine.link.request("save_replay", {}).then(({ replay: kept }) => {
      toasts.show(noticeStrings.replaySaved(kept.duration_ms, kept.path), { action: actionFor(kept.path) });
    }, failed);
  };
  const showFilms = () => dialogs.setState({ open: { name: "recordings" } });
  useCommands([
    {
      id: "record",
      group: "broadcast",
      label: () => words.commands.record,
      keys: ["Control+Shift+KeyR"],
      enabled: () => linked,
      run: toggle,
    },
    {
      id: "save_replay",
      group: "broadcast",
      label: () => words.commands.saveReplay,
      keys: ["Control+Shift+KeyS"],
      enabled: () => linked && replay.held_ms > 0,
      run: saveReplay,
    },
    {
      id: "recordings",
      group: "window",
      label: () => words.commands.recordings,
      keys: ["Control+Shift+KeyF"],
      enabled: () => linked,
      run: showFilms,
    },
  ]);
  const key = useKeyLabel("record");
  const filmsKey = useKeyLabel("recordings");
  const { duration_ms: duration, bytes } = recording;
  if (alone) return null;
  return (
    <>
      {replay.seconds > 0 ? (
        <button
          type="button"
          className="btn small"
          disabled={!linked || replay.held_ms === 0}
          title={
            replay.held_ms === 0 ? words.replayEmpty : words.replayHint(Math.min(replay.held_ms, replay.seconds * 1000))
          }
          onClick={saveReplay}
        >
          {words.replay}
        </button>
      ) : null}
      <button
        type="button"
        className={`btn ghost record ${recording.state}`}
        disabled={!linked || recording.state === "starting"}
        aria-pressed={runs}
        aria-label={runs ? words.recordingLabel(duration, bytes) : words.record}
        title={key}
        onClick={toggle}
      >
        <i aria-hidden="true" />
        {recording.state === "recording" ? (
          <span className="num">{words.recording(duration, bytes)}</span>
        ) : recording.state === "starting" ? (
          words.starting
        ) : (
          words.record
        )}
      </button>
      {alone ? null : (
        <button
          type="button"
          className="icon-btn"
          disabled={!linked}
          aria-label={words.films.button}
          title={filmsKey === undefined ? words.films.button : `${words.films.button} (${filmsKey})`}
          onClick={showFilms}
        >
          <FilmsIcon />
        </button>
      )}
    </>
  );
}

import { useStore } from "zustand";
import { useCommands, useKeyLabel } from "../commands/use-commands.ts";
import { CARRIER_NAMES } from "../health/connection.ts";
import { useServices } from "../services.ts";
import { useEngine } from "../state/use-engine.ts";
import { broadcastStrings as words } from "../strings/broadcast.ts";
import { count, timer } from "../strings/figures.ts";
import { useNow } from "./use-now.ts";
import { wordsOf } from "./use-request.ts";
import "./broadcast.css";

/** What is sent how fast, and to how many; nothing off air. */
export function SendingChips() {
  const { health } = useServices();
  const { sample } = useStore(health.state);
  const sending = sample?.connections.filter(({ state }) => state === "live") ?? [];
  const [first] = sending;
  if (sample === undefined || first === undefined) return null;
  const sent = words.sent(first.bitrate, CARRIER_NAMES[first.carrier]);
  return (
    <>
      <span
        className="chip num"
        role="img"
        title={sending.map(({ name }) => name).join(", ")}
        aria-label={words.sentLabel(sent)}
      >
        {sent}
        {sending.length > 1 ? <span className="label">{words.more(sending.length - 1)}</span> : null}
      </span>
      {sample.viewers === undefined ? null : (
        <span
          className="chip"
          role="img"
          aria-label={words.viewers(sample.viewers)}
          title={words.viewers(sample.viewers)}
        >
          <EyeIcon />
          <span className="num">{count(sample.viewers)}</span>
        </span>
      )}
    </>
  );
}

const EyeIcon = () => (
  <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
    <path d="M1.500 8S4 3.500 8 3.500 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8Z" />
    <circle cx="8" cy="8" r="2" />
  </svg>
);

/** Go live; or that it is, for how long, and the way out. */
export function OnAirBar() {
  const { engine, dialogs, toasts } = useServices();
  const broadcast = useEngine((state) => state.broadcast);
  const linked = useEngine((state) => state.linked);
  const { state } = broadcast;
  const running = state === "live" || state === "preview";
  const now = useNow(running);
  const goPublic = () => {
    engine.link.request("go_public", {}).catch((error) => toasts.show(wordsOf(error), { tone: "bad" }));
  };
  const open = (name: "go_live" | "end_stream") => dialogs.setState({ open: { name } });
  useCommands([
    {
      id: "go_live",
      group: "broadcast",
      label: () => words.commands.goLive,
      keys: ["Control+Enter"],
      enabled: () => state === "idle" && linked,
      run: () => open("go_live"),
    },
    {
      id: "go_public",
      group: "broadcast",
      label: () => words.commands.goPublic,
      keys: ["Control+Shift+Enter"],
      enabled: () => state === "preview",
      run: goPublic,
    },
    {
      id: "end_stream",
      group: "broadcast",
      label: () => words.commands.endStream,
      keys: ["Control+Shift+KeyE"],
      enabled: () => state !== "idle" && state !== "stopping",
      run: () => open("end_stream"),
    },
    {
      id: "health",
      group: "broadcast",
      label: () => words.commands.health,
      keys: ["Control+KeyH"],
      run: () => dialogs.setState({ open: { name: "health" } }),
    },
  ]);
  const key = useKeyLabel("go_live");
  if (state === "idle") {
    return (
      <button type="button" className="btn arc" disabled={!linked} title={key} onClick={() => open("go_live")}>
        {words.goLive}
      </button>
    );
  }
  if (state === "starting" || state === "stopping") {
    return (
      <>
        <span className="chip" role="status">
          {state === "starting" ? words.starting : words.stopping}
        </span>
        {state === "starting" ? (
          <button type="button" className="btn" onClick={() => open("end_stream")}>
            {words.cancelStart}
          </button>
        ) : null}
      </>
    );
  }
  const since = state === "live" ? (broadcast.live_at ?? broadcast.started_at) : broadcast.started_at;
  const shown = timer(now - (since ?? now));
  return (
    <>
      {state === "live" ? (
        <span className="on-air" role="timer" aria-label={`${words.onAir} ${shown}`}>
          <i /> {words.onAir} <span className="num">{shown}</span>
        </span>
      ) : (
        <>
          <span className="on-air preview" role="timer" title={words.previewHint}>
            <i /> {words.preview}{" "}
            <span className="num">
              {broadcast.public_at === null ? shown : words.publicIn(broadcast.public_at - now)}
            </span>
          </span>
          <button type="button" className="btn arc" onClick={goPublic}>
            {words.goPublic}
          </button>
        </>
      )}
      <button type="button" className="btn" onClick={() => open("end_stream")}>
        {words.endStream}
      </button>
    </>
  );
}

/** What the broadcast is called: a click edits it. */
export function BroadcastTitle() {
  const { dialogs } = useServices();
  const broadcast = useEngine((state) => state.broadcast);
  if (broadcast.state === "idle") return null;
  return (
    <button
      type="button"
      className="broadcast-title"
      title={words.editDetails}
      onClick={() => dialogs.setState({ open: { name: "details" } })}
    >
      {broadcast.title === "" ? words.untitled : broadcast.title}
    </button>
  );
}

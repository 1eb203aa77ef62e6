import type { StudioEvent } from "@klieg/protocol";
import type { Toast, Toasts } from "../shell/toasts.ts";
import type { EngineState, EngineStore } from "../state/engine-store.ts";
import { studioDesktop } from "../state/studio-desktop.ts";
import { noticeStrings as words } from "../strings/notices.ts";
import { recordingStrings } from "../strings/recording.ts";

const { isolated } = recordingStrings;

export interface Notice {
  readonly text: string;
  readonly tone: "plain" | "bad";
  /** A film that was kept: a button shows it, where there is a desktop. */
  readonly path?: string;
}

/** What an event is worth saying in passing; undefined for most. What lasts is an alert of the health. */
export function noticeOf(event: StudioEvent): Notice | undefined {
  if (event.event === "notice") {
    const { message, retryable } = event.error;
    return { text: words.error(message, retryable), tone: "bad" };
  }
  if (event.event !== "update") return undefined;
  if (event.state === "ready") return { text: words.updateReady(event.version ?? ""), tone: "plain" };
  return event.state === "failed" ? { text: words.updateFailed, tone: "bad" } : undefined;
}

/** What a change of the engine's state is worth saying. @param now epoch ms. */
export function noticesOfChange(before: EngineState, after: EngineState, now: number): Notice[] {
  const notices: Notice[] = [];
  const say = (text: string) => void notices.push({ text, tone: "plain" });
  const [was, is] = [before.broadcast, after.broadcast];
  if (was.state !== is.state) {
    if (is.state === "live") say(words.onAir);
    else if (is.state === "preview") say(words.inPreview);
    else if (is.state === "idle" && was.started_at !== null) say(words.ended(now - was.started_at));
  }
  const [film, kept] = [before.recording, after.recording];
  for (const { source, state, path, problem } of kept.isolated ?? []) {
    const ended = state === "failed" && film.isolated?.find((other) => other.source === source)?.state !== "failed";
    if (ended) notices.push({ text: isolated.ended(filmName(path), problem?.message ?? ""), tone: "bad" });
  }
  if (film.state === "recording" && kept.state === "off" && kept.path !== null) {
    notices.push({ text: words.recorded(kept.bytes, kept.path), tone: "plain", path: kept.path });
  }
  return notices;
}

/** @param path of a film, as the engine's machine writes it. */
function filmName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1).replace(/[.]mp4$/, "");
}

/** Says in passing what the engine tells. */
export class EngineNotices implements Disposable {
  readonly #subscription: Disposable;
  readonly #stop: () => void;

  constructor({ engine, toasts }: { engine: EngineStore; toasts: Toasts }) {
    const show = ({ text, tone, path }: Notice) => toasts.show(text, { tone, action: actionFor(path) });
    this.#subscription = engine.link.onEvent((event) => {
      const notice = noticeOf(event);
      if (notice !== undefined) show(notice);
    });
    this.#stop = engine.state.subscribe((after, before) => {
      // A page that was loaded again in mid-show learns what is, not what has just happened.
      if (!before.linked || !after.linked) return;
      for (const notice of noticesOfChange(before, after, Date.now())) show(notice);
    });
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
    this.#stop();
  }
}

/** A button to a film, where there is a desktop to show it on. */
export function actionFor(path: string | undefined): Toast["action"] {
  const desktop = studioDesktop();
  if (path === undefined || desktop === undefined) return undefined;
  return { label: words.showInFolder, run: () => void desktop.showInFolder(path) };
}

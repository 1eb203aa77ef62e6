import { type ReactNode, useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import { useStore } from "zustand";
import type { LiveSession } from "../playback/live-session.ts";
import { strings } from "../strings.ts";
import { hasControls } from "../viewer/stage.ts";
import type { Viewer } from "../viewer/viewer.ts";
import { Announcer } from "./announcer.tsx";
import { type Command, commandFor } from "./command.ts";
import { ControlBar } from "./control-bar.tsx";
import { canFillScreen, toggleFullScreen } from "./full-screen.ts";
import { HelpDialog } from "./help-dialog.tsx";
import { SpeakerIcon } from "./icons.tsx";
import { ModeNotice } from "./mode-notice.tsx";
import { StageMessage } from "./stage-message.tsx";
import { StatisticsPanel } from "./statistics-panel.tsx";
import { useAttention } from "./use-attention.ts";
import { useMediaSession } from "./use-media-session.ts";
import { useStage } from "./use-stage.ts";

const SEEK_SECONDS = 5;
const VOLUME_STEP = 0.05;

export interface PlayerProps {
  readonly viewer: Viewer;
  readonly title: string;
  /** Shown where a stage has nothing better to do than to look elsewhere; null in an embed. */
  readonly homeLink: ReactNode;
  /** Shown over the upper edge together with the controls. */
  readonly header?: ReactNode;
}

/** The video with everything over it: words, controls, statistics, keys. */
export function Player({ viewer, title, homeLink, header }: PlayerProps) {
  const { session } = viewer;
  const root = useRef<HTMLElement>(null);
  const pointer = useRef("mouse");
  const stage = useStage(viewer);
  const withheld = useStore(session.store, (state) => state.withheld);
  const mode = useStore(session.store, (state) => state.mode);
  const pictured = useStore(session.store, (state) => state.pictured);
  const hasVideo = useStore(session.store, (state) => state.hasVideo);
  const [menuOpen, setMenuOpen] = useState(false);
  const [statisticsOpen, setStatisticsOpen] = useState(false);
  const [helpOpen, setHelpOpen] = useState(false);
  const attention = useAttention();
  useMediaSession(session, stage, title, viewer.watch.name);
  const controllable = hasControls(stage);
  const controlsShown = attention.attentive || menuOpen || stage !== "playing";

  const run = (command: Command) => {
    attention.notice();
    switch (command) {
      case "toggle-play":
        return session.togglePlay();
      case "toggle-mute":
        return session.loudness.mute(!session.video.muted);
      case "toggle-full-screen":
        return void fillScreen();
      case "toggle-picture-in-picture":
        return void session.togglePictureInPicture();
      case "seek-back":
        return controllable ? session.seekBy(-SEEK_SECONDS) : undefined;
      case "seek-on":
        return controllable ? session.seekBy(SEEK_SECONDS) : undefined;
      case "louder":
        return session.loudness.change(VOLUME_STEP);
      case "quieter":
        return session.loudness.change(-VOLUME_STEP);
      case "go-live":
        return controllable ? session.goLive() : undefined;
      case "open-quality":
        return setMenuOpen(controllable && !menuOpen);
      case "toggle-mode":
        return toggleMode(session);
      case "toggle-statistics":
        return setStatisticsOpen(!statisticsOpen);
      case "open-help":
        return setHelpOpen(true);
    }
  };
  const fillScreen = async () => {
    if (root.current && canFillScreen(session.video)) await toggleFullScreen(root.current, session.video);
  };

  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    // The element, not our state of it: that hears of the end of a dialog later than the next key may come.
    if (document.querySelector("dialog[open]")) return;
    const command = commandFor(event, describeFocus(document.activeElement));
    if (command === null) return;
    event.preventDefault();
    run(command);
  });
  const onPointer = useEffectEvent((event: PointerEvent) => {
    pointer.current = event.pointerType;
    // A tap's own move event must not show what the tap is about to hide.
    if (event.pointerType === "mouse") attention.notice();
  });
  const onFocus = useEffectEvent((event: FocusEvent) => {
    // A tap focuses what it hits before it is a click: what the tap is about to show must not be shown, and so hidden, already.
    if (event.target instanceof Element && event.target.matches(":focus-visible")) attention.notice();
  });
  const onLeave = useEffectEvent((event: PointerEvent) => {
    if (event.pointerType === "mouse") attention.dismiss();
  });
  useEffect(() => {
    const element = root.current;
    const listeners = new AbortController();
    const { signal } = listeners;
    document.addEventListener("keydown", (event) => onKeyDown(event), { signal });
    element?.addEventListener("pointermove", (event) => onPointer(event), { signal });
    element?.addEventListener("pointerdown", (event) => onPointer(event), { signal });
    element?.addEventListener("pointerleave", (event) => onLeave(event), { signal });
    element?.addEventListener("focusin", (event) => onFocus(event), { signal });
    return () => listeners.abort();
  }, []);

  // Figures that change four times a second go to the element directly: nothing needs to be rendered again for them.
  useEffect(
    () =>
      session.store.subscribe(({ latency, following, current, muted }) => {
        const data = root.current?.dataset;
        if (!data) return;
        data.latency = latency === null ? "" : latency.toFixed(3);
        data.following = String(following);
        data.rendition = current ? String(current.height ?? "audio") : "";
        data.muted = String(muted);
      }),
    [session],
  );

  const mount = useCallback(
    (container: HTMLDivElement | null) => {
      session.video.className = "player-video";
      viewer.bridge.className = "player-video is-bridge";
      viewer.still.className = "player-video is-still";
      container?.replaceChildren(session.video, viewer.bridge, viewer.still);
    },
    [viewer, session],
  );
  useEffect(() => {
    session.video.setAttribute("aria-label", title);
  }, [session, title]);

  const onSurface = () => {
    if (stage === "ready" || stage === "blocked") {
      session.play();
    } else if (!controllable || pointer.current === "mouse") {
      if (controllable) session.togglePlay();
    } else if (attention.attentive) {
      attention.dismiss();
    } else {
      attention.notice();
    }
  };
  const closeMenu = useCallback((returnFocus: boolean) => {
    setMenuOpen(false);
    if (returnFocus) root.current?.querySelector<HTMLElement>('[aria-haspopup="menu"]')?.focus();
  }, []);

  return (
    <section
      ref={root}
      className="player on-video"
      aria-label={strings.watch.playerLabel(title)}
      data-state={stage}
      data-controls={controlsShown ? "shown" : "hidden"}
      data-pictured={pictured}
      data-mode={mode}
    >
      <div ref={mount} className="player-picture" />
      <button
        type="button"
        className="player-surface"
        tabIndex={-1}
        aria-label={stage === "playing" ? strings.controls.pause : strings.controls.play}
        onClick={onSurface}
        onDoubleClick={() => void fillScreen()}
      />
      {hasVideo === false && controllable ? <p className="stage-hint sound-only">{strings.stage.soundOnly}</p> : null}
      <div className="stage" data-stage={stage}>
        <StageMessage viewer={viewer} stage={stage} homeLink={homeLink} />
      </div>
      {withheld === "sound" && controllable ? (
        <button type="button" className="button is-primary tap-for-sound" onClick={() => session.loudness.mute(false)}>
          <SpeakerIcon level={0} />
          <span className="for-touch">{strings.controls.tapForSound}</span>
          <span className="for-mouse">{strings.controls.clickForSound}</span>
          <span className="for-mouse" aria-hidden="true">
            <kbd>m</kbd>
          </span>
        </button>
      ) : null}
      <ModeNotice session={session} />
      {header ? <div className="player-header">{header}</div> : null}
      {controllable ? (
        <ControlBar
          session={session}
          stage={stage}
          menuOpen={menuOpen}
          statisticsOpen={statisticsOpen}
          onToggleMenu={() => setMenuOpen(!menuOpen)}
          onCloseMenu={closeMenu}
          onToggleStatistics={() => setStatisticsOpen(!statisticsOpen)}
          onOpenHelp={() => {
            setMenuOpen(false);
            setHelpOpen(true);
          }}
          onFillScreen={() => void fillScreen()}
        />
      ) : null}
      {statisticsOpen ? <StatisticsPanel session={session} onClose={() => setStatisticsOpen(false)} /> : null}
      {helpOpen ? <HelpDialog onClose={() => setHelpOpen(false)} /> : null}
      <Announcer viewer={viewer} stage={stage} />
    </section>
  );
}

function toggleMode(session: LiveSession): void {
  const { offered, chosen } = session.store.getState().modes;
  if (offered) session.setMode(chosen === "realtime" ? "hls" : "realtime");
}

function describeFocus(element: Element | null) {
  if (!(element instanceof HTMLElement) || element === document.body) return null;
  return {
    tag: element.tagName.toLowerCase(),
    type: element.getAttribute("type"),
    editable: element.isContentEditable,
  };
}

import { useStore } from "zustand";
import type { LiveSession } from "../playback/live-session.ts";
import { strings } from "../strings.ts";
import type { Stage } from "../viewer/stage.ts";
import { ControlButton } from "./control-button.tsx";
import { canFillScreen, useFullScreen } from "./full-screen.ts";
import { FullScreenIcon, LeaveFullScreenIcon, PauseIcon, PictureInPictureIcon, PlayIcon } from "./icons.tsx";
import { LiveIndicator } from "./live-indicator.tsx";
import { QualityMenu, useQualityLabel } from "./quality-menu.tsx";
import { SeekBar } from "./seek-bar.tsx";
import { VolumeControl } from "./volume-control.tsx";

export interface ControlBarProps {
  readonly session: LiveSession;
  readonly stage: Stage;
  readonly menuOpen: boolean;
  readonly statisticsOpen: boolean;
  readonly onToggleMenu: () => void;
  readonly onCloseMenu: (returnFocus: boolean) => void;
  readonly onToggleStatistics: () => void;
  readonly onOpenHelp: () => void;
  readonly onFillScreen: () => void;
}

/** The row of controls over the lower edge of the picture. */
export function ControlBar(props: ControlBarProps) {
  const { session, stage } = props;
  const inPictureInPicture = useStore(session.store, (state) => state.pictureInPicture);
  const hasVideo = useStore(session.store, (state) => state.hasVideo);
  const quality = useQualityLabel(session);
  const fullScreen = useFullScreen();
  const words = strings.controls;
  const playing = stage !== "paused";
  return (
    <div className="control-bar" role="toolbar" aria-label={words.toolbar}>
      <SeekBar session={session} />
      <div className="control-row">
        <ControlButton
          className="is-first"
          label={playing ? words.pause : words.play}
          shortcut="k"
          onPress={() => session.togglePlay()}
        >
          {playing ? <PauseIcon /> : <PlayIcon />}
        </ControlButton>
        <VolumeControl session={session} />
        <LiveIndicator session={session} onAir={stage !== "interrupted"} />
        <span className="grow" />
        <div className="menu-anchor">
          {props.menuOpen ? (
            <QualityMenu
              session={session}
              statisticsOpen={props.statisticsOpen}
              onToggleStatistics={props.onToggleStatistics}
              onOpenHelp={props.onOpenHelp}
              onClose={props.onCloseMenu}
            />
          ) : null}
          <ControlButton
            className="quality"
            label={words.quality}
            shortcut="q"
            hasMenu
            expanded={props.menuOpen}
            onPress={props.onToggleMenu}
          >
            <span className="figure">{quality}</span>
          </ControlButton>
        </div>
        {document.pictureInPictureEnabled && hasVideo !== false ? (
          <ControlButton
            label={inPictureInPicture ? words.leavePictureInPicture : words.enterPictureInPicture}
            shortcut="p"
            onPress={() => void session.togglePictureInPicture()}
          >
            <PictureInPictureIcon />
          </ControlButton>
        ) : null}
        {canFillScreen(session.video) ? (
          <ControlButton
            className="is-last"
            label={fullScreen ? words.leaveFullScreen : words.enterFullScreen}
            shortcut="f"
            onPress={props.onFillScreen}
          >
            {fullScreen ? <LeaveFullScreenIcon /> : <FullScreenIcon />}
          </ControlButton>
        ) : null}
      </div>
    </div>
  );
}

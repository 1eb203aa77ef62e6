import { producerOf, qualityOf, SELF_LEVEL } from "@klieg/room";
import { type CSSProperties, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import { hueOf } from "../../pages/channel-avatar.tsx";
import type { Place } from "../layout/arrangement.ts";
import type { Tile } from "../layout/tile-order.ts";
import { isHeard } from "../media/capture.ts";
import { EnlargeIcon, HandIcon, MicrophoneIcon, ReduceIcon, ScreenIcon, SignalIcon } from "../room-icons.tsx";
import { roomStrings } from "../room-strings.ts";
import type { RoomVisit } from "../room-visit.ts";
import { useLevel } from "./use-level.ts";
import { VideoView } from "./video-view.tsx";

const words = roomStrings.stage;
/** Worse than this is worth a sign on the picture. */
const FAIR = 7;
const WEAK = 4;

export interface StageTileProps {
  readonly visit: RoomVisit;
  readonly tile: Tile;
  readonly place: Place;
  readonly large: boolean;
  /** Whether it is large because the person wanted it so. */
  readonly chosen: boolean;
  /** Whether something lies over the stage. */
  readonly covered: boolean;
  /** Whether nothing but this is there to enlarge. */
  readonly only: boolean;
  readonly onEnlarge: (key: string | null) => void;
}

/** One person on stage, or the screen that they share. */
export function StageTile({ visit, tile, place, large, chosen, covered, only, onEnlarge }: StageTileProps) {
  const { participant, kind } = tile;
  const box = useRef<HTMLLIElement>(null);
  const isSelf = useStore(visit.session.store, (state) => state.selfId === participant.id);
  const track = usePicture(visit, tile, isSelf, covered ? null : place);
  const [picture, setPicture] = useState<{ readonly track: MediaStreamTrack; readonly shape: number } | null>(null);
  const { muted, speaking, quality } = useCondition(visit, participant.id, isSelf);
  useLevel(box, visit.levels, isSelf ? SELF_LEVEL : participant.id);
  const isScreen = kind === "screen";
  const name = isSelf ? roomStrings.you(participant.name) : participant.name;
  const label = isScreen ? (isSelf ? words.yourScreen : words.screenOf(participant.name)) : name;
  const handUp = participant.hand_raised_at !== null;
  // An upright camera in a wide tile would be a forehead: show all of it.
  const hasPicture = track !== null && picture?.track === track;
  const shape = hasPicture ? picture.shape : null;
  const upright = shape !== null && shape < 1 && place.width > place.height;
  return (
    <li
      ref={box}
      className="tile on-video"
      style={placeStyle(place)}
      data-kind={kind}
      data-participant={participant.id}
      data-muted={!isScreen && muted}
      data-speaking={!isScreen && speaking && !muted}
      data-large={large}
      data-self={isSelf}
      data-fit={isScreen || upright ? "contain" : "cover"}
      data-small={place.width < 220}
    >
      {isScreen && isSelf ? (
        <div className="tile-words">
          <ScreenIcon />
          <p>{words.youShare}</p>
          <button type="button" className="button" onClick={() => visit.capture.stopScreen()}>
            {roomStrings.controls.stopShare}
          </button>
        </div>
      ) : track ? (
        <VideoView
          key={track.id}
          track={track}
          mirrored={isSelf}
          onPicture={(width, height) => setPicture(height > 0 ? { track, shape: width / height } : null)}
        />
      ) : null}
      {hasPicture || isScreen ? null : (
        <span className="tile-avatar" style={{ "--hue": hueOf(participant.name) }} aria-hidden="true">
          {participant.name.slice(0, 1).toUpperCase()}
        </span>
      )}
      <div className="tile-foot">
        {handUp && !isScreen ? (
          <span className="tile-sign is-hand" role="img" aria-label={words.handUp}>
            <HandIcon up />
          </span>
        ) : null}
        {isScreen ? (
          <span className="tile-sign" aria-hidden="true">
            <ScreenIcon />
          </span>
        ) : muted ? (
          <span className="tile-sign" role="img" aria-label={words.muted}>
            <MicrophoneIcon off />
          </span>
        ) : (
          <span className="tile-level" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
        )}
        <span className="tile-name">{label}</span>
        {participant.role === "host" && !isScreen ? <span className="tile-role">{roomStrings.roles.host}</span> : null}
        {quality !== null && quality < FAIR && !isSelf && !isScreen ? (
          <span className="tile-sign" role="img" aria-label={quality < WEAK ? words.weak : words.fair}>
            <SignalIcon level={quality < WEAK ? 1 : 2} />
          </span>
        ) : null}
      </div>
      {only ? null : (
        <button
          type="button"
          className="control tile-enlarge"
          aria-label={chosen ? words.reduce : words.enlarge(label)}
          aria-pressed={chosen}
          onClick={() => onEnlarge(chosen ? null : tile.key)}
        >
          {chosen ? <ReduceIcon /> : <EnlargeIcon />}
        </button>
      )}
    </li>
  );
}

function placeStyle({ x, y, width, height }: Place): CSSProperties {
  return { transform: `translate(${x}px, ${y}px)`, width, height };
}

/** Sharper than this hardly anybody sees, and everybody pays for. */
const MOST_PIXELS_PER_PIXEL = 2;

/** The picture of a tile. @param place where it is on screen; null where it cannot be seen. The room is told, so that it sends no more. */
function usePicture(
  visit: RoomVisit,
  { participant, kind }: Tile,
  isSelf: boolean,
  place: Place | null,
): MediaStreamTrack | null {
  const source = kind === "screen" ? "screen" : "camera";
  const own = useStore(visit.capture.store, (state) => (isSelf ? state[source].track : null));
  const [producerId, received] = useStore(
    visit.session.store,
    useShallow((state) => {
      const producer = isSelf ? null : producerOf(state, participant.id, source);
      const shown = producer && !producer.paused ? (state.received[producer.id]?.track ?? null) : null;
      return [producer?.id ?? null, shown] as const;
    }),
  );
  const { reception } = visit.session;
  const { width = 0, height = 0 } = place ?? {};
  useEffect(() => {
    if (producerId === null || width === 0) return;
    const scale = Math.min(MOST_PIXELS_PER_PIXEL, devicePixelRatio || 1);
    reception.show(producerId, { width: width * scale, height: height * scale });
    return () => reception.show(producerId, null);
  }, [reception, producerId, width, height]);
  return isSelf ? own : received;
}

function useCondition(visit: RoomVisit, id: string, isSelf: boolean) {
  const heard = useStore(visit.capture.store, (state) => isSelf && isHeard(state));
  const others = useStore(
    visit.session.store,
    useShallow((state) => {
      const microphone = producerOf(state, id, "microphone");
      return {
        muted: microphone === null || microphone.paused,
        speaking: state.activeSpeaker === id,
        quality: qualityOf(state, id),
      };
    }),
  );
  return { ...others, muted: isSelf ? !heard : others.muted };
}

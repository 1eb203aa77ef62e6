import { selfOf } from "@klieg/room";
import { useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import { type Arrangement, arrange } from "../layout/arrangement.ts";
import { largeOf, orderTiles, type Tile, tilesOf } from "../layout/tile-order.ts";
import { ChevronIcon, InviteIcon } from "../room-icons.tsx";
import { roomStrings } from "../room-strings.ts";
import type { RoomVisit } from "../room-visit.ts";
import { StageTile } from "./tile.tsx";
import { useSize } from "./use-size.ts";

const words = roomStrings.stage;
const GAP = 8;

export interface RoomStageProps {
  readonly visit: RoomVisit;
  readonly layout: "grid" | "speaker";
  /** From 0. */
  readonly page: number;
  /** Whether something lies over the stage, so that nobody sees it. */
  readonly covered: boolean;
  readonly onPage: (page: number) => void;
  readonly onInvite: () => void;
}

/** Everybody who can be seen, as large as the window lets them be. */
export function RoomStage({ visit, layout, page, covered, onPage, onInvite }: RoomStageProps) {
  const stage = useRef<HTMLElement>(null);
  const size = useSize(stage);
  const [chosen, setChosen] = useState<string | null>(null);
  const { large, rest, arrangement } = useArrangement(visit, size, layout, chosen, page);
  useEffect(() => {
    if (arrangement && arrangement.page !== page) onPage(arrangement.page);
  }, [arrangement, page, onPage]);
  const first = arrangement ? arrangement.page * arrangement.perPage : 0;
  const shown = arrangement ? rest.slice(first, first + arrangement.places.length) : [];
  const count = rest.length + (large ? 1 : 0);
  const tile = (one: Tile, place: Arrangement["large"], isLarge: boolean) =>
    place ? (
      <StageTile
        key={one.key}
        visit={visit}
        tile={one}
        place={place}
        large={isLarge}
        chosen={one.key === chosen}
        covered={covered}
        only={count === 1}
        onEnlarge={setChosen}
      />
    ) : null;
  return (
    <section ref={stage} className="room-stage" aria-label={words.label} data-layout={large ? "spotlight" : "grid"}>
      {size && arrangement ? (
        <ul>
          {[
            ...(large ? [{ one: large, place: arrangement.large, isLarge: true }] : []),
            ...shown.map((one, index) => ({ one, place: arrangement.places[index] ?? null, isLarge: false })),
          ]
            // One order in the document whatever is large: a picture that moves is not made anew.
            .toSorted((a, b) => (a.one.key < b.one.key ? -1 : 1))
            .map(({ one, place, isLarge }) => tile(one, place, isLarge))}
        </ul>
      ) : null}
      {arrangement?.pager ? (
        <Pages page={arrangement.page} pages={arrangement.pages} pager={arrangement.pager} onPage={onPage} />
      ) : null}
      <Emptiness visit={visit} onInvite={onInvite} />
    </section>
  );
}

function useArrangement(
  visit: RoomVisit,
  size: { width: number; height: number } | null,
  layout: "grid" | "speaker",
  chosen: string | null,
  page: number,
) {
  const state = useStore(
    visit.session.store,
    useShallow(({ participants, producers, selfId, activeSpeaker, spoke }) => ({
      participants,
      producers,
      selfId,
      activeSpeaker,
      spoke,
    })),
  );
  const order = useRef<readonly string[]>([]);
  return useMemo(() => {
    const tiles = tilesOf({ ...visit.session.store.getState(), ...state });
    const large = largeOf(tiles, state, layout, chosen);
    const others = tiles.length - (large ? 1 : 0);
    const arrangement = size && arrange(size.width, size.height, others, large?.kind ?? null, page, GAP);
    const ordered = orderTiles(tiles, order.current, state.spoke, Math.max(1, arrangement?.perPage ?? tiles.length));
    // The large one keeps its place among the others, for when it is small again.
    order.current = ordered.map(({ key }) => key);
    return { large, rest: ordered.filter(({ key }) => key !== large?.key), arrangement };
  }, [visit, state, size, layout, chosen, page]);
}

interface PagesProps {
  readonly page: number;
  readonly pages: number;
  readonly pager: NonNullable<Arrangement["pager"]>;
  readonly onPage: (page: number) => void;
}

function Pages({ page, pages, pager, onPage }: PagesProps) {
  return (
    <nav className="pages" data-over={pager.over} style={{ left: pager.x, top: pager.y }}>
      <button
        type="button"
        className="control"
        aria-label={words.previous}
        aria-keyshortcuts="ArrowLeft"
        disabled={page === 0}
        onClick={() => onPage(page - 1)}
      >
        <ChevronIcon to="left" />
      </button>
      <span className="figure">{words.page(page + 1, pages)}</span>
      <button
        type="button"
        className="control"
        aria-label={words.next}
        aria-keyshortcuts="ArrowRight"
        disabled={page === pages - 1}
        onClick={() => onPage(page + 1)}
      >
        <ChevronIcon to="right" />
      </button>
    </nav>
  );
}

/** Nobody on stage, or nobody but oneself: what to do about it. */
function Emptiness({ visit, onInvite }: { visit: RoomVisit; onInvite: () => void }) {
  const { alone, deserted, isHost } = useStore(
    visit.session.store,
    useShallow((state) => ({
      alone: state.participants.length === 1,
      deserted: tilesOf(state).length === 0,
      isHost: selfOf(state)?.role === "host",
    })),
  );
  if (deserted) {
    return (
      <div className="room-empty" role="status">
        <h2>{words.empty}</h2>
        <p>{words.emptyDetail}</p>
      </div>
    );
  }
  if (!alone) return null;
  return (
    <div className="room-alone">
      <p>
        <strong>{words.alone}</strong>
        <span>{isHost ? words.aloneHost : words.aloneDetail}</span>
      </p>
      {isHost ? (
        <button type="button" className="button is-primary" onClick={onInvite}>
          <InviteIcon />
          {roomStrings.controls.invite}
        </button>
      ) : null}
    </div>
  );
}

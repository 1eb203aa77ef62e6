import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { sceneOf } from "../../document/edit.ts";
import type { Point, Size } from "../../document/transform.ts";
import { useServices, useShow } from "../services.ts";
import { Menu } from "../shell/menu.tsx";
import { strings } from "../strings.ts";
import { useEntries } from "./command-entries.ts";
import { EmptyStage } from "./empty-stage.tsx";
import { ITEM_MENU, STAGE_MENU } from "./item-menu.ts";
import { workScene } from "./layers.ts";
import { Monitor } from "./monitor.tsx";
import { StageOverlay } from "./overlay.tsx";
import { StageBar } from "./stage-bar.tsx";
import { useStage } from "./use-stage.ts";

/** CSS pixels about the pictures, so that handles at their edges can be taken hold of. */
const MARGIN = 28;
/** CSS pixels between preview and program. */
const BETWEEN = 20;
const CAPTION = 26;

/** The middle of the window: the picture that is worked on, beside it what is on air where scenes are previewed. */
export function Stage() {
  const document = useShow((state) => state.document);
  const studioMode = useStage((state) => state.studioMode);
  const zoom = useStage((state) => state.zoom);
  const { stage } = useServices();
  const [menu, setMenu] = useState<Point>();
  const [area, room] = useRoom();
  const scene = workScene(document);
  const { canvas } = document;

  const pictures = studioMode ? 2 : 1;
  // Side by side on a wide stage, one above the other on a tall one: whichever gives the larger picture.
  const beside = scaleFor(canvas, {
    width: (room.width - 2 * MARGIN - BETWEEN * (pictures - 1)) / pictures,
    height: room.height - 2 * MARGIN - (studioMode ? CAPTION : 0),
  });
  const above = scaleFor(canvas, {
    width: room.width - 2 * MARGIN,
    height: (room.height - 2 * MARGIN - BETWEEN * (pictures - 1)) / pictures - (studioMode ? CAPTION : 0),
  });
  const fit = Math.max(beside, above);
  const scale = zoom === "fit" ? fit : zoom / devicePixelRatio;
  const width = Math.max(1, Math.round(canvas.width * scale));
  const height = Math.max(1, Math.round(canvas.height * scale));
  const programWidth = Math.max(1, Math.round(canvas.width * fit));
  const programHeight = Math.max(1, Math.round(canvas.height * fit));
  useWheelZoom(area, scale);
  const entries = useEntries(stage.getState().selected === undefined ? STAGE_MENU : ITEM_MENU);

  return (
    <div className="stage-column">
      <div
        ref={area}
        className={zoom === "fit" ? "stage-area" : "stage-area zoomed"}
        style={{ flexDirection: beside >= above ? "row" : "column", gap: BETWEEN }}
      >
        {room.width === 0 ? null : (
          <>
            <Monitor
              shows={studioMode ? "preview" : "program"}
              label={studioMode ? strings.stage.preview : strings.stage.program}
              live={!studioMode}
              width={width}
              height={height}
              caption={studioMode ? <Caption title={strings.stage.preview} scene={scene.name} /> : null}
            >
              <StageOverlay scale={width / canvas.width} onMenu={setMenu} />
              {scene.items.length === 0 ? <EmptyStage /> : null}
            </Monitor>
            {studioMode ? (
              <Monitor
                shows="program"
                label={strings.stage.program}
                live
                width={programWidth}
                height={programHeight}
                caption={<Caption title={strings.stage.program} scene={sceneOf(document, document.program).name} />}
              />
            ) : null}
          </>
        )}
      </div>
      <StageBar scale={width / canvas.width} />
      {menu === undefined ? null : (
        <Menu label={strings.stage.label} at={menu} entries={entries} onClose={() => setMenu(undefined)} />
      )}
    </div>
  );
}

function Caption({ title, scene }: { readonly title: string; readonly scene: string }) {
  return (
    <>
      <span className="h">{title}</span>
      <span className="label ell">{scene}</span>
    </>
  );
}

/** How large a picture fits into a room, CSS pixels for each of its own. */
function scaleFor(picture: Size, room: Size): number {
  return Math.max(0.02, Math.min(room.width / picture.width, room.height / picture.height));
}

/** Least and most that the wheel zooms to, screen pixels for each of the picture's. */
const ZOOM_RANGE = { least: 0.1, most: 8 };

/** Zooms with Control and the wheel, as maps and pictures do. @param scale CSS pixels for each of the picture's, now. */
function useWheelZoom(area: React.RefObject<HTMLElement | null>, scale: number): void {
  const { stage } = useServices();
  const now = useRef(scale);
  now.current = scale;
  const anchor = useRef<{ readonly pointer: Point; readonly share: Point }>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever the picture has another size.
  useLayoutEffect(() => {
    const held = anchor.current;
    anchor.current = undefined;
    const picture = area.current?.querySelector(".monitor-picture")?.getBoundingClientRect();
    if (held === undefined || picture === undefined) return;
    area.current?.scrollBy({
      left: picture.left + held.share.x * picture.width - held.pointer.x,
      top: picture.top + held.share.y * picture.height - held.pointer.y,
      behavior: "instant",
    });
  }, [scale]);
  useEffect(() => {
    const element = area.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const picture = element.querySelector(".monitor-picture")?.getBoundingClientRect();
      if (picture !== undefined) {
        // What is under the pointer stays there.
        const pointer = { x: event.clientX, y: event.clientY };
        const share = { x: (pointer.x - picture.left) / picture.width, y: (pointer.y - picture.top) / picture.height };
        anchor.current = { pointer, share };
      }
      const zoom = now.current * devicePixelRatio * 2 ** (-event.deltaY / 400);
      stage.setState({ zoom: Math.max(ZOOM_RANGE.least, Math.min(ZOOM_RANGE.most, zoom)) });
    };
    // Not passive: else the page itself would be zoomed.
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [area, stage]);
}

/** The size of an element, followed. */
function useRoom(): [ref: React.RefObject<HTMLDivElement | null>, room: Size] {
  const ref = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setRoom({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, room];
}

import { addItem, addSource, changeItem } from "../../document/edit.ts";
import type { RecordId } from "../../document/identity.ts";
import type { Source } from "../../document/source.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import type { Services } from "../services.ts";
import { settled, tightened } from "../stage/drag.ts";
import { seenItems } from "../stage/hit-test.ts";
import { workScene } from "../stage/layers.ts";
import { strings } from "../strings.ts";
import { firstPlace } from "./new-source.ts";

type Adding = Pick<Services, "show" | "stage" | "media">;

/** A document with a source in front in the scene that is worked on, placed as its kind is. */
export function withSource(document: StudioDocument, source: Source): StudioDocument {
  const scene = workScene(document);
  const first = !scene.items.some((item) =>
    document.sources.some(({ id, kind }) => id === item.source && kind !== "microphone" && kind !== "text"),
  );
  const added = addSource(document, source, scene.id);
  const item = workScene(added).items.at(-1);
  if (item === undefined) return added;
  const transform = firstPlace(document, source.kind, first, boxesOf(document));
  return changeItem(added, scene.id, item.id, (now) => ({ ...now, transform }));
}

/** Adds a source to the scene that is worked on, selected. @param stream of a live preview, which becomes the source's. */
export function addNewSource(adding: Adding, source: Source, stream?: MediaStream): void {
  const { show, stage, media } = adding;
  const gesture = `add ${source.id}`;
  if (stream !== undefined) media.captures.adopt(source.id, stream);
  show.change(strings.sources.steps.add(source.name), (document) => withSource(document, source), gesture);
  const item = workScene(show.document).items.at(-1);
  stage.setState({ selected: item?.id });
  if (item !== undefined && (source.kind === "text" || source.kind === "image")) {
    hugPicture(adding, show.document.preview, item.id, source.id, gesture);
  }
}

/** Puts a source that the show has already in front in the scene that is worked on. */
export function addExisting({ show, stage }: Adding, source: Source): void {
  show.change(strings.sources.steps.add(source.name), (document) =>
    addItem(document, document.preview, source.id, firstPlace(document, source.kind, false, boxesOf(document))),
  );
  stage.setState({ selected: workScene(show.document).items.at(-1)?.id });
}

/** Draws the box of a new item together about its picture once its size is known, unless it was moved by then. */
function hugPicture({ show, media }: Adding, scene: RecordId, item: RecordId, source: RecordId, gesture: string): void {
  const placed = boxOf(show.document, scene, item);
  const { undoLabel } = show.state.getState();
  const hug = (): boolean => {
    const now = boxOf(show.document, scene, item);
    if (now === undefined || now !== placed || show.state.getState().undoLabel !== undoLabel) return true;
    const capture = media.captures.get(source);
    if (capture === undefined || capture.state !== "live" || capture.width === 0) return false;
    const tight = tightened(now, capture);
    // Its lower left corner stays where it is: that is where titles are put.
    const transform = settled({
      ...tight,
      x: now.x - (now.width - tight.width) / 2,
      y: now.y + (now.height - tight.height) / 2,
    });
    show.change(
      undoLabel ?? "",
      (document) => changeItem(document, scene, item, (before) => ({ ...before, transform })),
      gesture,
    );
    show.endGesture();
    return true;
  };
  if (hug()) return;
  const subscription = media.captures.onChanged((changed) => {
    if (changed === source && hug()) subscription[Symbol.dispose]();
  });
}

function boxesOf(document: StudioDocument) {
  return seenItems(workScene(document), document.sources).map(({ transform }) => transform);
}

function boxOf(document: StudioDocument, scene: RecordId, item: RecordId) {
  return document.scenes.find(({ id }) => id === scene)?.items.find(({ id }) => id === item)?.transform;
}

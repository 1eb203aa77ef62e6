import { ManualClock } from "@klieg/base";
import { KliegError, type StudioEvent } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import { addScene, changeSceneSettings } from "../../document/edit.ts";
import { newDocument, type StudioDocument } from "../../document/studio-document.ts";
import { type ShowLink, ShowStore } from "./show-store.ts";

/** The engine's side of a show, as the contract describes it. */
function engine(document: StudioDocument = newDocument("One")) {
  const saved: StudioDocument[] = [];
  const listeners = new Set<(event: StudioEvent) => void>();
  let failure: Error | undefined;
  const link = {
    request: (type: string, input: { document?: StudioDocument }) => {
      if (failure !== undefined) return Promise.reject(failure);
      if (type === "open_show") return Promise.resolve({ document, problem: null, secrets: [], assets: [] });
      saved.push(input.document as StudioDocument);
      return Promise.resolve({ saved_at: 0 });
    },
    onEvent: (listener: (event: StudioEvent) => void) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  } as unknown as ShowLink;
  return {
    link,
    document,
    saved,
    listeners,
    fail: (error: Error | undefined) => {
      failure = error;
    },
    tell: (changed: StudioDocument) => {
      for (const listener of listeners) listener({ event: "show", document: changed });
    },
  };
}

async function opened(peer = engine()) {
  const clock = new ManualClock();
  const show = new ShowStore(peer.link, clock);
  await show.open();
  return { peer, clock, show };
}

/** Lets promises that are resolved already go on. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const rename = (name: string) => (document: StudioDocument) =>
  changeSceneSettings(document, document.scenes[0]!.id, { name });
const nameOf = (show: ShowStore) => show.document.scenes[0]?.name;

describe("the show store (STU1)", () => {
  it("opens what the engine keeps, and saves a change once it rests", async () => {
    const { peer, clock, show } = await opened();
    expect(show.state.getState()).toMatchObject({ phase: "open", saved: "saved", document: peer.document });
    show.change("Rename", rename("Two"));
    expect(show.state.getState()).toMatchObject({ saved: "unsaved", undoLabel: "Rename" });
    clock.advance(300);
    show.change("Rename", rename("Three"));
    clock.advance(399);
    expect(peer.saved).toHaveLength(0);
    clock.advance(1);
    expect(show.state.getState().saved).toBe("saving");
    await settle();
    expect(show.state.getState().saved).toBe("saved");
    expect(peer.saved.map(({ scenes }) => scenes[0]?.name)).toEqual(["Three"]);
  });

  it("saves again what was changed while it was saved", async () => {
    const { peer, clock, show } = await opened();
    show.change("Rename", rename("Two"));
    clock.advance(400);
    show.change("Rename", rename("Three"));
    await settle();
    clock.advance(400);
    await settle();
    expect(peer.saved.map(({ scenes }) => scenes[0]?.name)).toEqual(["Two", "Three"]);
    expect(show.state.getState().saved).toBe("saved");
  });

  it("says that saving failed, and tries again until it works", async () => {
    const { peer, clock, show } = await opened();
    peer.fail(new KliegError("unreachable", "No engine."));
    show.change("Rename", rename("Two"));
    clock.advance(400);
    await settle();
    expect(show.state.getState()).toMatchObject({ saved: "failed", saveProblem: "No engine." });
    peer.fail(undefined);
    clock.advance(3000);
    await settle();
    expect(show.state.getState()).toMatchObject({ saved: "saved", saveProblem: undefined });
    expect(peer.saved).toHaveLength(1);
  });

  it("undoes and does again, a gesture being one step", async () => {
    const { show } = await opened();
    show.change("Move", rename("a"), "drag");
    show.change("Move", rename("b"), "drag");
    show.endGesture();
    show.change("Move", rename("c"), "drag");
    expect(show.undo()).toBe("done");
    expect(nameOf(show)).toBe("b");
    expect(show.undo()).toBe("done");
    expect(nameOf(show)).toBe("One");
    expect(show.undo()).toBe("nothing");
    expect(show.redo()).toBe("done");
    expect(nameOf(show)).toBe("b");
  });

  it("never changes what is on air by undoing", async () => {
    const { show } = await opened();
    const first = show.document.program;
    show.change("Add scene", (document) => addScene(document, "Two"));
    const second = show.document.scenes[1]!.id;
    show.change("Rename", rename("Renamed"));
    show.air(second);
    expect(show.document).toMatchObject({ program: second, preview: second });
    expect(show.undo()).toBe("done");
    expect(show.document).toMatchObject({ program: second, preview: second });
    expect(nameOf(show)).toBe("One");
    // The scene on air would go with the next step.
    expect(show.undo()).toBe("on_air");
    expect(show.document.scenes).toHaveLength(2);
    show.air(first);
    expect(show.undo()).toBe("done");
    expect(show.document.scenes).toHaveLength(1);
  });

  it("swaps program and preview on a take, and keeps both where they are not swapped", async () => {
    const { show } = await opened();
    const first = show.document.program;
    show.change("Add scene", (document) => addScene(document, "Two"));
    const second = show.document.scenes[1]!.id;
    show.preview(second);
    expect(show.document).toMatchObject({ program: first, preview: second });
    show.take(true);
    expect(show.document).toMatchObject({ program: second, preview: first });
    show.take(false);
    expect(show.document).toMatchObject({ program: first, preview: first });
  });

  it("takes a change of another window as a step, but a switch of scenes as none", async () => {
    const { peer, show } = await opened();
    const two = addScene(peer.document, "Two");
    peer.tell(two);
    expect(show.document.scenes).toHaveLength(2);
    expect(show.state.getState().undoLabel).toBe("Change from another window");
    peer.tell({ ...two, preview: two.scenes[1]!.id });
    expect(show.document.preview).toBe(two.scenes[1]!.id);
    expect(show.undo()).toBe("done");
    expect(show.document.scenes).toHaveLength(1);
  });

  it("takes a document that says the same in another order for no change", async () => {
    const { peer, clock, show } = await opened();
    const reversed = (document: StudioDocument) =>
      Object.fromEntries(Object.entries(addScene(document, "Two")).reverse()) as StudioDocument;
    show.change("Add scene", reversed);
    clock.advance(400);
    await settle();
    peer.tell(structuredClone(show.document));
    expect(show.state.getState().undoLabel).toBe("Add scene");
  });

  it("keeps what is changed here and not sent yet from being overwritten", async () => {
    const { peer, show } = await opened();
    show.change("Rename", rename("Mine"));
    peer.tell(rename("Theirs")(peer.document));
    expect(nameOf(show)).toBe("Mine");
  });

  it("sends what was changed while the engine was away, and else asks what others changed", async () => {
    const { peer, clock, show } = await opened();
    peer.fail(new KliegError("unreachable", "No engine."));
    show.change("Rename", rename("Meanwhile"));
    clock.advance(400);
    await settle();
    peer.fail(undefined);
    await show.reconnected();
    await settle();
    expect(peer.saved.map(({ scenes }) => scenes[0]?.name)).toEqual(["Meanwhile"]);
    // The engine's own is still the one that it was opened with: as if another window had put it back.
    await show.reconnected();
    expect(nameOf(show)).toBe("One");
    expect(show.undo()).toBe("done");
    expect(nameOf(show)).toBe("Meanwhile");
  });

  it("says why nothing could be opened, and starts anew when asked", async () => {
    const peer = engine({ ...newDocument("One"), version: 99 } as unknown as StudioDocument);
    const { show, clock } = await opened(peer);
    expect(show.state.getState()).toMatchObject({ phase: "failed" });
    expect(show.state.getState().problem).toMatch(/another version/);
    show.startAnew();
    expect(show.state.getState()).toMatchObject({ phase: "open", problem: undefined });
    clock.advance(400);
    await settle();
    expect(peer.saved).toHaveLength(1);
  });

  it("leaves no timer and no listener behind", async () => {
    const { peer, clock, show } = await opened();
    show.change("Rename", rename("Two"));
    show[Symbol.dispose]();
    expect([clock.pending, peer.listeners.size]).toEqual([0, 0]);
  });
});

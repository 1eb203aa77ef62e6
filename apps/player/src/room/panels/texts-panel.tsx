import type { RoomText } from "@klieg/protocol";
import type { RoomSession } from "@klieg/room";
import { type FormEvent, type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { hueOf } from "../../pages/channel-avatar.tsx";
import { SendIcon } from "../room-icons.tsx";
import { roomStrings } from "../room-strings.ts";
import { linkedText } from "./linked-text.ts";
import { SidePanel } from "./side-panel.tsx";

const words = roomStrings.texts;
const TEXT_LENGTH = 2000;
/** Nearer to the end than this, one reads the newest and follows it, CSS pixels. */
const FOLLOW = 48;
/** What one person writes within this is one block, ms. */
const BLOCK_MS = 3 * 60_000;

/** What everybody writes. */
export function TextsPanel({ session, onClose }: { session: RoomSession; onClose: () => void }) {
  const texts = useStore(session.store, (state) => state.texts);
  const list = useRef<HTMLOListElement>(null);
  const [following, setFollowing] = useState(true);
  useLayoutEffect(() => {
    if (following && texts.length > 0) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [texts, following]);
  useEffect(() => {
    if (texts.length > 0 && following) session.readTexts();
  }, [session, texts, following]);
  return (
    <SidePanel title={words.title} className="texts-panel" onClose={onClose}>
      {texts.length === 0 ? (
        <div className="panel-empty">
          <h3>{words.empty}</h3>
          <p>{words.emptyDetail}</p>
        </div>
      ) : (
        <ol
          ref={list}
          className="panel-scroll"
          role="log"
          aria-label={words.log}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls is scrolled by keys.
          tabIndex={0}
          onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) =>
            setFollowing(scrollHeight - scrollTop - clientHeight < FOLLOW)
          }
        >
          {texts.map((text, index) => (
            <TextLine key={text.seq} text={text} goesOn={goesOn(texts[index - 1], text)} />
          ))}
        </ol>
      )}
      {following ? null : (
        <button
          type="button"
          className="button new-texts"
          onClick={() => {
            setFollowing(true);
          }}
        >
          {words.new}
        </button>
      )}
      <Writer session={session} onSent={() => setFollowing(true)} />
    </SidePanel>
  );
}

function goesOn(before: RoomText | undefined, text: RoomText): boolean {
  return (
    before !== undefined &&
    before.participant_id === text.participant_id &&
    before.name === text.name &&
    Date.parse(text.at) - Date.parse(before.at) < BLOCK_MS
  );
}

function TextLine({ text, goesOn: continues }: { text: RoomText; goesOn: boolean }) {
  return (
    <li className="text-line" data-goes-on={continues}>
      {continues ? null : (
        <p className="text-head">
          <strong style={{ "--hue": hueOf(text.name) }}>{text.name}</strong>
          {text.role === "host" ? <span className="tile-role">{roomStrings.roles.host}</span> : null}
          <time className="figure" dateTime={text.at}>
            {new Date(text.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}
          </time>
        </p>
      )}
      <p className="text-body">
        {linkedText(text.text).map((run, index) =>
          run.href ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: runs of one text never change.
            <a key={index} href={run.href} target="_blank" rel="noopener noreferrer">
              {run.text}
            </a>
          ) : (
            run.text
          ),
        )}
      </p>
    </li>
  );
}

function Writer({ session, onSent }: { session: RoomSession; onSent: () => void }) {
  const [draft, setDraft] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    // A keyboard that rises over the messages waits until it is asked for.
    if (matchMedia("(hover: hover)").matches) field.current?.focus();
  }, []);
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    if (draft !== "") element.style.height = `${element.scrollHeight}px`;
  }, [draft]);
  const send = async () => {
    const text = draft.trim();
    if (text === "") return;
    setDraft("");
    // What was not sent is not lost.
    if (await session.sendText(text)) onSent();
    else setDraft((since) => (since === "" ? text : since));
  };
  return (
    <form
      className="writer"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void send();
      }}
    >
      <textarea
        ref={field}
        rows={1}
        className="field"
        aria-label={words.placeholder}
        placeholder={words.placeholder}
        value={draft}
        maxLength={TEXT_LENGTH}
        enterKeyHint="send"
        onChange={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event: KeyboardEvent) => {
          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          void send();
        }}
      />
      <button type="submit" className="control" aria-label={words.send} disabled={draft.trim() === ""}>
        <SendIcon />
      </button>
    </form>
  );
}

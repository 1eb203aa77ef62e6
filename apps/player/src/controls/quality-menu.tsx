import { type KeyboardEvent, useEffect, useRef } from "react";
import { useStore } from "zustand";
import { bitrate } from "../figures.ts";
import type { LiveSession } from "../playback/live-session.ts";
import { byQuality, type Rendition } from "../playback/rendition.ts";
import { strings } from "../strings.ts";
import { MenuItem } from "./menu-item.tsx";
import { ModeMenu } from "./mode-menu.tsx";
import { qualityName, shownQualityName } from "./quality-name.ts";

export interface QualityMenuProps {
  readonly session: LiveSession;
  readonly statisticsOpen: boolean;
  readonly onToggleStatistics: () => void;
  readonly onOpenHelp: () => void;
  /** @param returnFocus whether the keyboard closed it. */
  readonly onClose: (returnFocus: boolean) => void;
}

/** The text of the quality button: `720p · Auto`, or `1080p60` when pinned. */
export function useQualityLabel(session: LiveSession): string {
  const current = useStore(session.store, (state) => state.current);
  const pinned = useStore(session.store, (state) => state.pinned);
  const words = strings.controls;
  if (pinned) return qualityName(pinned);
  return current ? `${shownQualityName(current)} · ${words.automatic}` : words.automatic;
}

/** Automatic or pinned quality; and the way to the statistics and the shortcuts. */
export function QualityMenu({ session, statisticsOpen, onToggleStatistics, onOpenHelp, onClose }: QualityMenuProps) {
  const menu = useRef<HTMLDivElement>(null);
  const renditions = useStore(session.store, (state) => state.renditions);
  const current = useStore(session.store, (state) => state.current);
  const pinned = useStore(session.store, (state) => state.pinned);
  const words = strings.controls;

  useEffect(() => session.refreshQualities(), [session]);
  useEffect(() => {
    const element = menu.current;
    if (!element) return;
    (
      element.querySelector<HTMLElement>('[aria-checked="true"]') ?? element.querySelector<HTMLElement>("button")
    )?.focus();
    const onPointerDown = (event: Event) => {
      const target = event.target as Element | null;
      // The button that opened the menu closes it by itself.
      if (!element.contains(target) && !target?.closest('[aria-haspopup="menu"]')) onClose(false);
    };
    document.addEventListener("pointerdown", onPointerDown);
    return () => document.removeEventListener("pointerdown", onPointerDown);
  }, [onClose]);

  const onKeyDown = (event: KeyboardEvent) => {
    const items = [...(menu.current?.querySelectorAll<HTMLElement>("button") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const goTo: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    const next = goTo[event.key];
    if (next !== undefined) {
      event.preventDefault();
      items.at(next % items.length)?.focus();
    } else if (event.key === "Escape" || event.key === "q") {
      event.preventDefault();
      onClose(true);
    } else if (event.key === "Tab") {
      onClose(false);
    }
  };
  const choose = (rendition: Rendition | null) => {
    session.setQuality(rendition);
    onClose(true);
  };

  return (
    <div ref={menu} className="menu" role="menu" tabIndex={-1} aria-label={words.quality} onKeyDown={onKeyDown}>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset has no place in a menu */}
      <div role="group" aria-label={words.quality}>
        <MenuItem
          role="menuitemradio"
          checked={pinned === null}
          label={words.automatic}
          detail={pinned === null && current ? words.automaticNow(shownQualityName(current)) : ""}
          onChoose={() => choose(null)}
        />
        {renditions.toSorted(byQuality).map((rendition) => (
          <MenuItem
            key={rendition.index}
            role="menuitemradio"
            checked={pinned?.index === rendition.index}
            label={qualityName(rendition)}
            detail={bitrate(rendition.bitrate)}
            onChoose={() => choose(rendition)}
          />
        ))}
      </div>
      <hr />
      <ModeMenu session={session} onClose={() => onClose(true)} />
      <MenuItem
        role="menuitemcheckbox"
        checked={statisticsOpen}
        label={words.statistics}
        shortcut="i"
        onChoose={() => {
          onToggleStatistics();
          onClose(true);
        }}
      />
      <div className="for-mouse" role="none">
        <MenuItem role="menuitem" label={words.shortcuts} shortcut="?" onChoose={onOpenHelp} />
      </div>
    </div>
  );
}

import { useEffect, useRef, useState } from "react";
import { wordsOf } from "../broadcast/use-request.ts";
import { useServices, useShow } from "../services.ts";
import { Icon, MoreIcon } from "../shell/icons.tsx";
import { below, Menu, type MenuEntry } from "../shell/menu.tsx";
import { useOnAir } from "../stage/use-on-air.ts";
import { guestStrings as words } from "../strings/guests.ts";
import type { Guest } from "./guest.ts";
import { RemoveDialog } from "./guest-dialogs.tsx";
import { GuestPicture } from "./guest-picture.tsx";
import { type GuestPlacing, placingOf, putOnStage } from "./seating.ts";
import { useGuests } from "./use-guests.ts";

/** Below this a connection is said to be weak, of 10. */
const WEAK = 4;

/** Everybody in the room, in the order in which they came. */
export function GuestList() {
  const guests = useGuests((view) => view.guests);
  const list = useLevels();
  if (guests.length === 0) return <p className="label guests-waiting">{words.nobody}</p>;
  return (
    <ul className="guest-list" aria-label={words.list} ref={list}>
      {guests.map((guest) => (
        <GuestRow key={guest.id} guest={guest} />
      ))}
    </ul>
  );
}

function GuestRow({ guest }: { readonly guest: Guest }) {
  const services = useServices();
  const { guests, toasts } = services;
  const placing = useShow(({ document }) => placingOf(document, guest.seat));
  const onAir = useOnAir();
  const [menu, setMenu] = useState<{ x: number; y: number }>();
  const [removing, setRemoving] = useState(false);
  const { name, microphone } = guest;
  const tried = (what: Promise<unknown>, done?: string) => {
    what.then(
      () => done !== undefined && toasts.show(done),
      (error: unknown) => toasts.show(words.failed(wordsOf(error)), { tone: "bad" }),
    );
  };
  const place = () => {
    if (!putOnStage(services, guest)) toasts.show(words.full, { tone: "bad" });
  };
  const takeOff = () => {
    guests.seat(guest.id, undefined);
    toasts.say(words.takenOff(name));
  };
  return (
    <li className={guest.present ? "guest" : "guest cut-off"} data-placing={placing}>
      <GuestPicture guest={guest} />
      <div className="guest-words">
        <div className="row">
          <strong className="ell grow" title={name}>
            {name}
          </strong>
          {guest.handRaised ? (
            <button
              type="button"
              className="icon-btn hand"
              aria-label={words.lowerHand(name)}
              title={words.handRaised(name)}
              onClick={() => tried(guests.lowerHand(guest.id))}
            >
              <HandIcon />
            </button>
          ) : null}
          <button
            type="button"
            className="icon-btn"
            aria-label={words.mute(name)}
            title={words.microphones[microphone]}
            disabled={microphone !== "live" || !guest.present}
            onClick={() => tried(guests.mute(guest.id, "microphone"), words.muted(name))}
          >
            <MicrophoneIcon off={microphone !== "live"} />
          </button>
          <button
            type="button"
            className="icon-btn"
            aria-label={words.moreOf(name)}
            title={words.moreOf(name)}
            aria-haspopup="menu"
            onClick={(event) => setMenu(below(event.currentTarget))}
          >
            <MoreIcon />
          </button>
        </div>
        <div className="meter" role="presentation" data-guest={guest.id} />
        <div className="row">
          <span className="label grow ell">{standing(guest, placing, onAir)}</span>
          {placing === "not_in_scene" ? (
            <button type="button" className="btn small" aria-label={words.addToSceneOf(name)} onClick={place}>
              {words.addToScene}
            </button>
          ) : null}
          {placing === "backstage" ? (
            <button
              type="button"
              className="btn small"
              aria-label={words.putOnStageOf(name)}
              disabled={!guest.present}
              onClick={place}
            >
              {words.putOnStage}
            </button>
          ) : (
            <button type="button" className="btn small ghost" aria-label={words.takeOffOf(name)} onClick={takeOff}>
              {words.takeOff}
            </button>
          )}
        </div>
      </div>
      {menu === undefined ? null : (
        <Menu
          label={words.moreOf(name)}
          at={menu}
          entries={entriesOf(guest, {
            stopCamera: () => tried(guests.mute(guest.id, "camera")),
            show: (picture) => guests.setPicture(guest.id, picture),
            remove: () => setRemoving(true),
          })}
          onClose={() => setMenu(undefined)}
        />
      )}
      {removing ? <RemoveDialog guest={guest} onClose={() => setRemoving(false)} /> : null}
    </li>
  );
}

function standing(guest: Guest, placing: GuestPlacing, onAir: boolean): string {
  const parts = [
    guest.present ? (placing === "in_program" && onAir ? words.onAir : PLACINGS[placing]) : words.cutOff,
    guest.present && guest.quality !== undefined && guest.quality < WEAK ? words.weak : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(" · ");
}

const PLACINGS: Readonly<Record<GuestPlacing, string>> = {
  backstage: words.backstage,
  not_in_scene: words.notInScene,
  on_stage: words.onStage,
  in_program: words.onStage,
};

function entriesOf(
  guest: Guest,
  run: {
    readonly stopCamera: () => void;
    readonly show: (picture: Guest["picture"]) => void;
    readonly remove: () => void;
  },
): (MenuEntry | undefined)[] {
  const choice: MenuEntry[] = guest.sharesScreen
    ? [
        { label: words.showCamera, checked: guest.picture === "camera", run: () => run.show("camera") },
        { label: words.showScreen, checked: guest.picture === "screen", run: () => run.show("screen") },
      ]
    : [];
  return [
    ...choice,
    { label: words.stopCamera, disabled: guest.camera !== "live" || !guest.present, run: run.stopCamera },
    undefined,
    { label: words.remove, disabled: !guest.present, run: run.remove },
  ];
}

/** Draws levels as often as the screen does, past React: `[data-guest=ID]` gets `--level`. */
function useLevels() {
  const { guests } = useServices();
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    let frame = 0;
    const draw = () => {
      frame = requestAnimationFrame(draw);
      for (const meter of list.current?.querySelectorAll<HTMLElement>("[data-guest]") ?? []) {
        meter.style.setProperty("--level", guests.level(meter.dataset.guest ?? "").toFixed(2));
      }
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [guests]);
  return list;
}

const HandIcon = () => (
  <Icon>
    <path d="M4.500 8.500V5a1 1 0 0 1 2 0v2.500M6.500 7V3a1 1 0 0 1 2 0v4M8.500 7V3.500a1 1 0 0 1 2 0V8M10.500 8V6a1 1 0 0 1 2 0v4a4 4 0 0 1-4 4c-2 0-3-.8-4-2.500l-1.700-2.800a1 1 0 0 1 1.700-1.100z" />
  </Icon>
);

const MicrophoneIcon = ({ off }: { readonly off: boolean }) => (
  <Icon>
    <rect x="5.8" y="1.5" width="4.4" height="8" rx="2.2" />
    <path d="M3.2 7.500a4.800 4.800 0 0 0 9.600 0M8 12.300v2.200" />
    {off ? <path d="m2.500 2.500 11 11" /> : null}
  </Icon>
);

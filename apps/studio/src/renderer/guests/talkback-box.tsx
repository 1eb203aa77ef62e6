import type { KeyboardEvent } from "react";
import { useServices } from "../services.ts";
import { CheckField, SelectField } from "../sources/field-row.tsx";
import { useDevices } from "../sources/use-devices.ts";
import { guestStrings as words } from "../strings/guests.ts";
import { useGuests } from "./use-guests.ts";

/** Talking to the guests without the show's viewers: while a button is held, or until it is switched off. */
export function TalkbackBox() {
  const { guests } = useServices();
  const talkback = useGuests((view) => view.talkback);
  const returnSound = useGuests((view) => view.returnSound);
  const devices = useDevices("microphone", talkback.sending);
  const hold = (held: boolean) => guests.holdTalkback(held);
  const onKey = (held: boolean) => (event: KeyboardEvent) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) hold(held);
  };
  const choices = [
    { value: "", label: words.showMicrophone },
    ...devices.map(({ id, label }, at) => ({ value: id, label: label === "" ? words.device(at + 1) : label })),
  ];
  return (
    <section className="talkback" aria-label={words.talkback}>
      <h3 className="h">{words.talkback}</h3>
      <div className="row">
        <button
          type="button"
          className={talkback.sending ? "btn grow talking" : "btn grow"}
          aria-pressed={talkback.held}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            hold(true);
          }}
          onPointerUp={() => hold(false)}
          onPointerCancel={() => hold(false)}
          onKeyDown={onKey(true)}
          onKeyUp={onKey(false)}
          onBlur={() => hold(false)}
        >
          {talkback.sending ? words.talking : words.hold}
        </button>
        <CheckField
          label={words.latch}
          checked={talkback.latched}
          onChange={(latched) => guests.latchTalkback(latched)}
        />
      </div>
      <p className="label">{words.talkbackHint}</p>
      {talkback.problem === undefined ? null : (
        <p className="problem" role="alert">
          {talkback.problem}
        </p>
      )}
      <SelectField
        label={words.microphone}
        value={choices.some(({ value }) => value === talkback.device) ? talkback.device : ""}
        choices={choices}
        onChange={(device) => guests.setTalkbackDevice(device)}
      />
      <CheckField label={words.returnSound} checked={returnSound} onChange={(on) => guests.setReturnSound(on)} />
      <p className="label">{words.returnSoundHint}</p>
    </section>
  );
}

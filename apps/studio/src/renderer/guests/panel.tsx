import { useEngine } from "../state/use-engine.ts";
import { guestStrings as words } from "../strings/guests.ts";
import { ClosedRoom } from "./closed-room.tsx";
import { GuestList } from "./guest-list.tsx";
import { InviteBox } from "./invite-box.tsx";
import { RoomStanding } from "./room-standing.tsx";
import { TalkbackBox } from "./talkback-box.tsx";
import { useGuests } from "./use-guests.ts";
import "./guests.css";

/** The guests of the show: their room's link, who is there, and the way to talk to them (STU7). */
export function GuestsPanel() {
  const state = useEngine(({ guestRoom }) => guestRoom.state);
  const inside = useGuests(({ stage }) => stage.name === "in" || stage.name === "rejoining");
  if (state === "closed") return <ClosedRoom />;
  if (state === "opening") {
    return (
      <p className="guests-waiting" role="status">
        {words.opening}
      </p>
    );
  }
  return (
    <div className="guests">
      <InviteBox />
      <RoomStanding />
      {inside ? (
        <>
          <GuestList />
          <TalkbackBox />
        </>
      ) : null}
    </div>
  );
}

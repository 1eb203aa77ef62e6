import type { EngineStore } from "../state/engine-store.ts";
import { guestStrings } from "../strings/guests.ts";
import type { GuestRoom } from "./guest-room.ts";

/** Takes the studio's place in the room of its guests whenever the engine has one open, and leaves with it. */
export function followEngine(engine: EngineStore, guests: Pick<GuestRoom, "join" | "leave">): Disposable {
  let joined: string | null = null;
  const follow = () => {
    const { guestRoom, linked } = engine.now;
    // Without the engine the room goes on, as far as it can; it is joined again when its wire is back.
    if (!linked) return;
    const room = guestRoom.state === "open" ? guestRoom.room_id : null;
    if (room === joined) return;
    if (joined !== null) guests.leave();
    joined = room;
    if (room !== null) guests.join(guestStrings.hostName);
  };
  const unsubscribe = engine.state.subscribe(({ guestRoom }, before) => {
    if (guestRoom !== before.guestRoom) follow();
  });
  follow();
  return { [Symbol.dispose]: unsubscribe };
}

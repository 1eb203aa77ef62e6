import { useStore } from "zustand";
import { useServices } from "../services.ts";
import type { GuestRoomView } from "./guest-room-view.ts";

/** A part of what there is to show of the room; the component is rendered again when that part changes. */
export function useGuests<Part>(part: (view: GuestRoomView) => Part): Part {
  return useStore(useServices().guests.store, part);
}

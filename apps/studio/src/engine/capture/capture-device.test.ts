import { expect, test } from "vitest";
import { avFoundationDevices, deckLinkDevices, directShowDevices } from "./capture-device.ts";

test("STU1: capture cards are listed as each system's part of FFmpeg names them", () => {
  const old = `[dshow @ 000001] DirectShow video devices (some may be both video and audio devices)
[dshow @ 000001]  "Cam Link 4K"
[dshow @ 000001]     Alternative name "@device_pnp_x"
[dshow @ 000001] DirectShow audio devices
[dshow @ 000001]  "Line (Cam Link 4K)"`;
  expect(directShowDevices(old)).toEqual([{ url: "dshow:video=Cam Link 4K", name: "Cam Link 4K" }]);
  const present = `[dshow @ 000001] "USB Video" (video)
[dshow @ 000001]   Alternative name "@device_pnp_x"
[dshow @ 000001] "Microphone" (audio)`;
  expect(directShowDevices(present)).toEqual([{ url: "dshow:video=USB Video", name: "USB Video" }]);
  const apple = `[AVFoundation indev @ 0x1] AVFoundation video devices:
[AVFoundation indev @ 0x1] [0] FaceTime HD Camera
[AVFoundation indev @ 0x1] AVFoundation audio devices:
[AVFoundation indev @ 0x1] [0] Built-in Microphone`;
  expect(avFoundationDevices(apple)).toEqual([{ url: "avfoundation:0", name: "FaceTime HD Camera" }]);
  const cards = "[decklink @ 0x5] Blackmagic DeckLink input devices:\n[decklink @ 0x5] \t'DeckLink Mini Recorder'\n";
  expect(deckLinkDevices(cards)).toEqual([{ url: "decklink:DeckLink Mini Recorder", name: "DeckLink Mini Recorder" }]);
  expect([directShowDevices(""), avFoundationDevices("x"), deckLinkDevices("dummy: error")]).toEqual([[], [], []]);
});

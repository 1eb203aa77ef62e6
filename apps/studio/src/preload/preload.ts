import type { ENGINE_PORT_MESSAGE, ScreenChoice, ScreenOffer, StudioDesktop } from "@klieg/protocol";
import { contextBridge, ipcRenderer } from "electron";
import { CHANNEL } from "./channels.ts";

// Runs sandboxed beside the page, in a world of its own. The page gets these functions and nothing of Electron's.

/** Only its type is imported: validators have no place in here. */
const PORT_MESSAGE: typeof ENGINE_PORT_MESSAGE = "klieg:engine-port";

type Pick = (offer: ScreenOffer) => Promise<Omit<ScreenChoice, "offer">>;
let pick: Pick | undefined;

const desktop: StudioDesktop = {
  platform: process.platform,
  connect: () => ipcRenderer.send(CHANNEL.connect),
  onPickScreen: (asked) => {
    pick = asked;
  },
  chooseFolder: (start) => ipcRenderer.invoke(CHANNEL.chooseFolder, start),
  showInFolder: (path) => ipcRenderer.invoke(CHANNEL.showInFolder, path),
  installUpdate: () => ipcRenderer.invoke(CHANNEL.installUpdate),
  opensAtLogin: () => ipcRenderer.invoke(CHANNEL.opensAtLogin),
  setOpensAtLogin: (open) => ipcRenderer.invoke(CHANNEL.setOpensAtLogin, open),
};
contextBridge.exposeInMainWorld("kliegDesktop", desktop);

// A port cannot cross the bridge; a message of the window can carry it.
ipcRenderer.on(CHANNEL.port, (event) => window.postMessage(PORT_MESSAGE, window.location.origin, [...event.ports]));

ipcRenderer.on(CHANNEL.screens, (_event, offer: ScreenOffer) => {
  const refused = { screen: null, audio: false };
  const answer = (choice: Omit<ScreenChoice, "offer">) =>
    ipcRenderer.send(CHANNEL.screenChosen, { offer: offer.offer, screen: choice.screen, audio: choice.audio });
  if (pick === undefined) answer(refused);
  else pick(offer).then(answer, () => answer(refused));
});

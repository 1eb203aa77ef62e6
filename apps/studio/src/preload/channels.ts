/** Names of what page and main process say to each other over Electron's IPC; what goes with each is in `preload.ts`. */
export const CHANNEL = {
  connect: "klieg:connect",
  port: "klieg:port",
  screens: "klieg:screens",
  screenChosen: "klieg:screen-chosen",
  chooseFolder: "klieg:choose-folder",
  showInFolder: "klieg:show-in-folder",
  installUpdate: "klieg:install-update",
  opensAtLogin: "klieg:opens-at-login",
  setOpensAtLogin: "klieg:set-opens-at-login",
} as const;

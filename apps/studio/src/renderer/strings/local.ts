/** What the studio says where it runs in a browser without its engine. */
export const localStrings = {
  serverGone: (url: string) => `${url} cannot be reached. Check the address and your connection.`,
  serverSilent: (url: string) => `${url} does not answer.`,
  brokenAnswer: "The server's answer broke off.",
  notKlieg: "There is no Klieg server at this address.",
  pageIsOld: "This page is out of date. Load it again.",
  helloFirst: "The first request must be hello.",
  notARequest: "This is not a request of the studio.",
  needsApp: {
    recording: "A browser tab cannot record safely. Use the Klieg app to record.",
    replay: "A browser tab keeps no replay. Use the Klieg app for it.",
    encoders: "The browser chooses the encoder by itself. Use the Klieg app to choose and test encoders.",
    streams: "A browser tab cannot open addresses and capture cards. Use the Klieg app for them.",
    protocol: "A browser sends by WebRTC only. Choose WebRTC for this destination, or use the Klieg app.",
  },
  noDestination: "Switch on a destination that the browser can send to: a Klieg server, by WebRTC.",
  noSuchDestination: "There is no such destination any more.",
  noKey: "This destination has no stream key yet. Paste it once more: a browser forgets it when the tab is closed.",
  wrongChannel: (channel: string) => `This stream key belongs to the channel ${channel}.`,
  onAir: "A broadcast is under way already.",
  offAir: "No broadcast is under way.",
  noSession: "This WebRTC session is over.",
  noWebrtc: "This server cannot do WebRTC.",
  guestsElsewhere: (host: string) =>
    `In a browser, guests come to the server that this page is from, ${host}. Use the Klieg app for another.`,
  stopped: "The broadcast was stopped on the server.",
  noUpload: "This file's upload is over, or never began.",
  uploadShort: "The file did not arrive whole. Add it again.",
  noRoom: "The browser has no room left for this. Remove files from the show, or make room on the disk.",
  noStore: "The browser keeps nothing for this page. Private windows may do so; open it in an ordinary one.",
  showDamaged: (why: string) =>
    `The saved show could not be used and a new one is open. ${why} It is kept in the browser.`,
} as const;

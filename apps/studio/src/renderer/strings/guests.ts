/** What the studio says of the guests of the show (STU7). */
export const guestStrings = {
  title: "Guests",
  /** How the studio is called in the room. */
  hostName: "Studio",

  // Before there is a room.
  closedTitle: "Bring somebody into the show",
  closedDetail:
    "Open a room and send its link. Guests join in their browser, with nothing to install, and wait backstage until you put them on stage.",
  server: "Room at",
  open: "Open the room",
  opening: "Opening the room…",
  noServer: "Guests come to a Klieg server. Add one as a destination, with its stream key.",
  noKey: "A Klieg server of yours has no stream key yet. Enter it to open a room there.",
  destinations: "Destinations",
  noEngine: "The studio’s engine cannot be reached at the moment.",
  problem: (reason: string) => `The room is not open: ${reason}`,

  // The link.
  invite: "Invite link",
  inviteHint: (until: string) => `Whoever has it can come in, until ${until}.`,
  copy: "Copy link",
  copied: "The link is copied: send it to your guests.",
  copyFailed: "The browser did not copy it. The link is selected: copy it by hand.",
  newLink: "New link",
  renewed: "There is a new link. The one before is of no use any more.",
  expired: "The link has expired: nobody can come in by it any more. Who is in stays.",
  noInvite: "There is no link at the moment.",
  more: "More about the room",
  close: "Close the room…",
  closeTitle: "Close the room?",
  closeDetail: (count: number) =>
    count === 0
      ? "The link will be of no use any more."
      : `${count === 1 ? "One guest is" : `${count} guests are`} put out, and the link will be of no use any more.`,
  closeAction: "Close the room",
  keepOpen: "Keep it open",
  closeFailed: (reason: string) => `You left the room, but it is still open on the server: ${reason}`,

  // Where the studio stands with it.
  joining: "Joining the room…",
  rejoining: "The connection to the room is lost. It is tried again by itself.",
  rejoinNow: "Try now",
  mediaBroken: "Picture and sound of the guests are interrupted, and are being mended.",
  joinAgain: "Join again",
  out: {
    left: "You are not in the room.",
    removed: "Another host put the studio out of the room.",
    ended: "The room has ended.",
    replaced: "The studio’s place in the room was taken by another window.",
    refused: "The server did not let the studio in.",
    protocol: "The server speaks another version of the room’s protocol.",
  },

  // Who is there.
  list: "Guests in the room",
  nobody: "Nobody is here yet. Send the link: who joins appears here, and is seen by nobody else yet.",
  onAir: "On air",
  onStage: "On stage",
  backstage: "Backstage",
  cutOff: "Cut off",
  noCamera: "No camera",
  pictureOf: (name: string) => `Picture of ${name}`,
  weak: "Weak connection",
  handRaised: (name: string) => `${name} raises a hand`,
  lowerHand: (name: string) => `Lower the hand of ${name}`,
  microphones: {
    live: "Microphone on",
    paused: "Muted by the guest",
    muted_by_host: "Muted by you",
    none: "No microphone",
  },
  putOnStage: "Put on stage",
  takeOff: "Take off stage",
  putOnStageOf: (name: string) => `Put ${name} on stage`,
  takeOffOf: (name: string) => `Take ${name} off stage`,
  takenOff: (name: string) => `${name} is backstage`,
  full: "All 16 seats are taken. Take somebody off stage first.",
  notInScene: "Not in this scene",
  addToScene: "Add to this scene",
  addToSceneOf: (name: string) => `Add ${name} to this scene`,
  mute: (name: string) => `Mute ${name}`,
  /** Only guests themselves switch their microphones on. */
  muted: (name: string) => `${name} is muted, and can switch the microphone on again.`,
  moreOf: (name: string) => `More about ${name}`,
  stopCamera: "Stop the camera",
  showCamera: "Show the camera",
  showScreen: "Show the shared screen",
  remove: "Remove from the room…",
  removeTitle: (name: string) => `Remove ${name}?`,
  removeDetail: "They are put out, and the link that they came by is of no use any more. You get a new one.",
  removeAction: "Remove",
  removed: (name: string) => `${name} was removed. There is a new link for further guests.`,
  cancel: "Cancel",
  happened: {
    joined: (name: string) => `${name} is in the room, backstage`,
    left: (name: string) => `${name} left the room`,
    lost: (name: string) => `${name} was cut off, and may come back`,
    screenShared: (name: string) => `${name} shares a screen`,
    text: (name: string, text: string) => `${name}: ${text.slice(0, 200)}`,
  },
  failed: (reason: string) => `That did not work: ${reason}`,

  // Talkback.
  talkback: "Talkback",
  talkbackHint: "Only guests hear it, not your viewers.",
  hold: "Hold to talk",
  talking: "Guests hear you",
  latch: "Keep talking",
  microphone: "Microphone",
  showMicrophone: "As in the show",
  device: (number: number) => `Microphone ${number}`,
  returnSound: "Guests hear the show",
  returnSoundHint: "Everything but their own voice. They hear each other in any case.",

  steps: {
    putOnStage: (name: string) => `Put ${name} on stage`,
  },
  toggleTalkback: "Talk to the guests, on or off",
} as const;

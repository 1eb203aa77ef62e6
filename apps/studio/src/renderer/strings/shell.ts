export const shellStrings = {
  brand: "Klieg",
  connecting: "Starting the studio…",
  lostTitle: "The studio’s engine does not answer",
  lostDetail: "This page keeps trying; what you change meanwhile is saved then.",
  lostOpening: "This page keeps trying.",
  ended: {
    replaced: {
      title: "Another window took the stage",
      detail: "One window at a time captures and sends the show. Take it back to go on here.",
      action: "Take it back",
    },
    refused: {
      title: "This link is not valid any more",
      detail: "Open the link that the studio printed when it started.",
      action: "Try again",
    },
    outdated: {
      title: "The studio was updated",
      detail: "Load this page again to go on with the new version.",
      action: "Load again",
    },
  },
  panels: "Panels",
  properties: "Properties",
  mixer: "Mixer",
  health: "Health",
  closeDialog: "Close",
  cancel: "Cancel",
  undoAction: "Undo",
  dismissToast: "Dismiss",
  toasts: "Notices",
  help: "Keyboard shortcuts",
};

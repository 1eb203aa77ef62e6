/** What buttons say in more than one place of the broadcast's interface. */
export const controlStrings = {
  close: "Close",
  cancel: "Cancel",
  save: "Save",
  done: "Done",
  remove: "Remove",
  back: "Back",
  next: "Next",
  working: "One moment…",
  failed: "Something went wrong.",
  unlinked: "The studio's engine does not answer. This page reconnects by itself.",
} as const;

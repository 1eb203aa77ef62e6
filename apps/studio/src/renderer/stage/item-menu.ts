/** Commands of the menu of a source on the stage or in the list; undefined is a line. */
export const ITEM_MENU: readonly (string | undefined)[] = [
  "item.rename",
  "item.duplicate",
  "item.visible",
  "item.lock",
  undefined,
  "item.to_front",
  "item.forward",
  "item.backward",
  "item.to_back",
  undefined,
  "item.fill",
  "item.centre",
  "item.actual_size",
  "item.mirror",
  "item.rotate_left",
  "item.rotate_right",
  "item.reset",
  undefined,
  "item.delete",
];

/** Of the stage where nothing is selected. */
export const STAGE_MENU: readonly (string | undefined)[] = [
  "source.add",
  "scene.add",
  undefined,
  "stage.zoom_in",
  "stage.zoom_out",
  "stage.zoom_fit",
  undefined,
  "stage.studio_mode",
];

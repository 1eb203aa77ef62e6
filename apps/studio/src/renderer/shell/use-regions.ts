import { useCommands } from "../commands/use-commands.ts";
import { strings } from "../strings.ts";

/** The parts of the window, in their order on the screen. */
const REGIONS = ".app > .bar, .app > .side > *, .app > .stage, .app > .dock > *, .app > .panel";
const CONTROLS = "a[href], button, input, select, textarea, [tabindex]";

/** Keys that bring the focus from one part of the window to the next, past all that is in between. */
export function useRegions(): void {
  useCommands([
    {
      id: "window.next_region",
      group: "window",
      keys: ["Control+F6"],
      label: () => strings.commands.nextRegion,
      run: () => focusRegion(1),
    },
    {
      id: "window.previous_region",
      group: "window",
      keys: ["Control+Shift+F6"],
      label: () => strings.commands.previousRegion,
      run: () => focusRegion(-1),
    },
  ]);
}

function focusRegion(by: 1 | -1): void {
  const regions = [...document.querySelectorAll(REGIONS)];
  const now = regions.findIndex((region) => region.contains(document.activeElement));
  for (let step = 1; step <= regions.length; step += 1) {
    const at = now < 0 && by < 0 ? -step : now + by * step;
    const control = firstControl(regions.at(at % regions.length));
    if (control === undefined) continue;
    control.focus();
    return;
  }
}

function firstControl(region: Element | undefined): HTMLElement | undefined {
  const controls = region?.querySelectorAll<HTMLElement>(CONTROLS) ?? [];
  return [...controls].find(
    (control) => control.tabIndex >= 0 && !control.matches(":disabled") && control.checkVisibility(),
  );
}

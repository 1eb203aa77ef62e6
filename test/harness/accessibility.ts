import axe from "axe-core";
import type { Page } from "playwright-core";

/** What is held to: WCAG 2.2 to level AA, and what axe-core's authors call best practice. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe-core finds wrong with the page as it is now: the rule, and the elements that break it. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Neither half a fade nor a notice in passing is the page as it is.
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().iterations === 1);
    await Promise.allSettled(ending.map(({ finished }) => finished));
  });
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source);
  return page.evaluate(async (values) => {
    const tested = (globalThis as unknown as { axe: typeof axe }).axe;
    const { violations } = await tested.run(document, { runOnly: { type: "tag", values } });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary = "" }) => `${id} at ${target}: ${failureSummary.replace(/\s+/g, " ")}`),
    );
  }, RULES);
}

/** One stop of the Tab key. */
export interface TabStop {
  readonly element: string;
  /** Whether anything shows that the focus is there. */
  readonly visible: boolean;
}

/**
 * Presses Tab from the page's beginning until the focus leaves its content again.
 * @returns where it went, and what it should have come by and did not.
 * @throws Error where it never leaves.
 */
export async function walkByTab(page: Page): Promise<{ stops: TabStop[]; missed: string[] }> {
  const names = await page.evaluate(() => {
    const nameOf = (element: Element) =>
      `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent}`;
    const all = [...document.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, [tabindex]")];
    const wanted = all.filter((element) => {
      if (
        element.tabIndex < 0 ||
        element.matches(":disabled") ||
        !element.checkVisibility({ visibilityProperty: true })
      )
        return false;
      // Of radio buttons only the chosen one.
      return !(element instanceof HTMLInputElement && element.type === "radio" && !element.checked);
    });
    for (const [i, element] of wanted.entries()) element.dataset.tabStop = String(i);
    // Else Tab goes on from what was pressed last.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    return wanted.map(nameOf);
  });
  const stops: TabStop[] = [];
  const seen = new Set<number>();
  for (let press = 0; press < names.length * 2 + 10; press += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (!(element instanceof HTMLElement) || element === document.body) return undefined;
      const shown = ["", "::before"].some((part) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(element, part);
        return outlineStyle !== "none" && Number.parseFloat(outlineWidth) > 0;
      });
      const name = `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent}`;
      return { element: name, visible: shown, at: Number(element.dataset.tabStop ?? -1) };
    });
    if (stop === undefined || (stop.at >= 0 && seen.has(stop.at))) {
      return { stops, missed: names.filter((_, i) => !seen.has(i)) };
    }
    seen.add(stop.at);
    stops.push({ element: stop.element, visible: stop.visible });
  }
  throw new Error(`the focus does not come out again: ${stops.slice(-5).map(({ element }) => element)}`);
}

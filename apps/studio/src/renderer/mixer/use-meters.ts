import { type RefCallback, useCallback, useEffect, useRef } from "react";
import { PROGRAM } from "../media/mixer/mixer-contract.ts";
import { useServices } from "../services.ts";
import { decibels } from "../strings/figures.ts";
import { mixerStrings } from "../strings/mixer.ts";
import { meterPosition, PeakHold } from "./fader.ts";

/** How often figures beside a meter change, ms: faster cannot be read. */
const TEXT_EVERY_MS = 250;

interface Meter {
  readonly bar: HTMLElement | null;
  readonly text: HTMLElement | null;
  readonly peak: PeakHold;
}

/**
 * Draws levels into elements of a panel as often as the screen does, past React: `[data-meter=ID]` gets `--level` and `--peak`,
 * `[data-peak=ID]` the peak in words, `[data-loudness]` the loudness.
 */
export function useMeters(): RefCallback<HTMLElement> {
  const { mixer } = useServices();
  const root = useRef<HTMLElement>(null);
  useEffect(() => {
    const meters = new Map<string, Meter>();
    let textAt = 0;
    let frame = 0;
    const meterOf = (id: string): Meter => {
      let meter = meters.get(id);
      if (meter?.bar?.isConnected !== true) {
        const find = (name: string) => root.current?.querySelector<HTMLElement>(`[data-${name}="${id}"]`) ?? null;
        meter = { bar: find("meter"), text: find("peak"), peak: meter?.peak ?? new PeakHold() };
        meters.set(id, meter);
      }
      return meter;
    };
    const draw = (now: number) => {
      frame = requestAnimationFrame(draw);
      const writeText = now - textAt >= TEXT_EVERY_MS;
      if (writeText) textAt = now;
      for (const [id, { peakDb }] of mixer.meters()) {
        const { bar, text, peak } = meterOf(id);
        const held = peak.add(peakDb, now);
        bar?.style.setProperty("--level", String(meterPosition(peakDb)));
        bar?.style.setProperty("--peak", String(meterPosition(held)));
        if (writeText && text !== null) text.textContent = decibels(held);
      }
      if (!writeText) return;
      for (const id of meters.keys()) if (id !== PROGRAM && !mixer.meters().has(id)) meters.delete(id);
      const loudness = root.current?.querySelector("[data-loudness]");
      if (loudness) loudness.textContent = mixerStrings.loudness(mixer.loudness().shortTerm);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [mixer]);
  return useCallback((element: HTMLElement | null) => {
    root.current = element;
  }, []);
}

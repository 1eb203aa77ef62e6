import { useState, useSyncExternalStore } from "react";
import { changeSource } from "../../document/edit.ts";
import { findsPeople, type VideoFilter } from "../../document/filter.ts";
import { newId } from "../../document/identity.ts";
import type { Source } from "../../document/source.ts";
import type { Point } from "../../document/transform.ts";
import { useServices } from "../services.ts";
import { DownIcon, PlusIcon, TrashIcon, UpIcon } from "../shell/icons.tsx";
import { below, Menu } from "../shell/menu.tsx";
import { strings } from "../strings.ts";
import { ColourField, percent, SliderField } from "./field-row.tsx";

const KINDS = ["chroma_key", "colour", "blur", "background_blur", "background_removal"] as const;
const MOST_FILTERS = 16;

/** A filter as it is when it is added: the green of most screens; colours as they are. */
export function newFilter(kind: VideoFilter["kind"]): VideoFilter {
  const base = { id: newId(), enabled: true };
  switch (kind) {
    case "chroma_key":
      return { ...base, kind, key: "#00b140", similarity: 0.32, smoothness: 0.08, spill: 0.4 };
    case "colour":
      return { ...base, kind, brightness: 0, contrast: 0, saturation: 0, hue: 0, gamma: 1 };
    case "blur":
    case "background_blur":
      return { ...base, kind, radius: 12 };
    case "background_removal":
      return { ...base, kind };
  }
}

interface Parameter {
  readonly name: Exclude<keyof typeof strings.sources.properties.parameters, "key">;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly words: (value: number) => string;
}

const signed = (value: number) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.round(Math.abs(value) * 100)} %`;
const RADIUS: Parameter = { name: "radius", min: 0, max: 64, step: 1, words: (value) => `${Math.round(value)} px` };
const PARAMETERS: Readonly<Record<VideoFilter["kind"], readonly Parameter[]>> = {
  chroma_key: [
    { name: "similarity", min: 0, max: 1, step: 0.01, words: percent },
    { name: "smoothness", min: 0, max: 1, step: 0.01, words: percent },
    { name: "spill", min: 0, max: 1, step: 0.01, words: percent },
  ],
  colour: [
    { name: "brightness", min: -1, max: 1, step: 0.01, words: signed },
    { name: "contrast", min: -1, max: 1, step: 0.01, words: signed },
    { name: "saturation", min: -1, max: 1, step: 0.01, words: signed },
    { name: "hue", min: -180, max: 180, step: 1, words: (value) => `${Math.round(value)}°` },
    { name: "gamma", min: 0.2, max: 5, step: 0.05, words: (value) => value.toFixed(2) },
  ],
  blur: [RADIUS],
  background_blur: [RADIUS],
  background_removal: [],
};

/** What is done to a source's picture, one after the other, in every scene that shows it. */
export function FilterList(props: {
  readonly source: Extract<Source, { filters: VideoFilter[] }>;
  readonly onDone: () => void;
}) {
  const { source, onDone } = props;
  const { show } = useServices();
  const [menu, setMenu] = useState<Point>();
  const words = strings.sources.properties;
  const { filters } = source;
  const change = (next: (filters: readonly VideoFilter[]) => VideoFilter[], gesture?: string) =>
    show.change(
      strings.sources.steps.filter(source.name),
      (document) =>
        changeSource(document, source.id, (now) =>
          "filters" in now ? ({ ...now, filters: next(now.filters) } as Source) : now,
        ),
      gesture,
    );
  return (
    <section className="properties-section">
      <div className="row">
        <h3 className="h grow">{words.filters}</h3>
        <button
          type="button"
          className="btn ghost small"
          aria-haspopup="menu"
          disabled={filters.length >= MOST_FILTERS}
          onClick={(event) => setMenu(below(event.currentTarget))}
        >
          <PlusIcon />
          {words.addFilter}
        </button>
      </div>
      {filters.length === 0 ? <p className="label">{words.noFilters}</p> : null}
      {filters.map((filter, at) => {
        const name = words.filterKinds[filter.kind];
        const set = (part: Partial<VideoFilter>, gesture?: string) =>
          change(
            (now) => now.map((other) => (other.id === filter.id ? ({ ...other, ...part } as VideoFilter) : other)),
            gesture,
          );
        const move = (by: number) => () =>
          change((now) => now.filter((other) => other.id !== filter.id).toSpliced(at + by, 0, filter));
        return (
          <div key={filter.id} className="filter">
            <div className="row">
              <label className="check grow">
                <input
                  type="checkbox"
                  aria-label={words.enableFilter(name)}
                  checked={filter.enabled}
                  onChange={(event) => set({ enabled: event.target.checked })}
                />
                {name}
              </label>
              {filters.length > 1 ? (
                <>
                  <button
                    type="button"
                    className="icon-btn"
                    aria-label={words.filterUp(name)}
                    disabled={at === 0}
                    onClick={move(-1)}
                  >
                    <UpIcon />
                  </button>
                  <button
                    type="button"
                    className="icon-btn"
                    aria-label={words.filterDown(name)}
                    disabled={at === filters.length - 1}
                    onClick={move(1)}
                  >
                    <DownIcon />
                  </button>
                </>
              ) : null}
              <button
                type="button"
                className="icon-btn"
                aria-label={words.removeFilter(name)}
                onClick={() => change((now) => now.filter((other) => other.id !== filter.id))}
              >
                <TrashIcon />
              </button>
            </div>
            {filter.kind === "chroma_key" ? (
              <ColourField
                label={words.parameters.key}
                value={filter.key}
                opacity={undefined}
                onChange={(key) => set({ key }, `key ${filter.id}`)}
                onDone={onDone}
              />
            ) : null}
            {PARAMETERS[filter.kind].map((parameter) => (
              <SliderField
                key={parameter.name}
                label={words.parameters[parameter.name]}
                value={Number((filter as unknown as Record<string, unknown>)[parameter.name])}
                min={parameter.min}
                max={parameter.max}
                step={parameter.step}
                words={parameter.words}
                onChange={(value) =>
                  set({ [parameter.name]: value } as Partial<VideoFilter>, `${parameter.name} ${filter.id}`)
                }
                onDone={onDone}
              />
            ))}
            {findsPeople(filter) ? <SegmentationNote /> : null}
          </div>
        );
      })}
      {menu === undefined ? null : (
        <Menu
          label={words.addFilter}
          at={menu}
          onClose={() => setMenu(undefined)}
          entries={KINDS.map((kind) => ({
            label: words.filterKinds[kind],
            run: () => change((now) => [...now, newFilter(kind)]),
          }))}
        />
      )}
    </section>
  );
}

/** How the search for people does, and what it costs. */
function SegmentationNote() {
  const { compositor } = useServices().media;
  const segmentation = useSyncExternalStore(
    (changed) => {
      const subscription = compositor.onSegmentation(changed);
      return () => subscription[Symbol.dispose]();
    },
    () => compositor.segmentation,
  );
  const words = strings.sources.properties.people;
  if (segmentation?.state === "failed") {
    return (
      <p className="notice" role="status" title={segmentation.message}>
        {words.failed}
      </p>
    );
  }
  return (
    <p className="label" role="status">
      {segmentation?.state === "running" ? words.running : words.opening}
    </p>
  );
}

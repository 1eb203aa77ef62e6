import { changeItem } from "../../document/edit.ts";
import type { Scene, SceneItem } from "../../document/scene.ts";
import type { Source } from "../../document/source.ts";
import { normalisedRotation, type Transform } from "../../document/transform.ts";
import { useServices } from "../services.ts";
import { NumberField } from "../shell/number-field.tsx";
import { within } from "../stage/drag.ts";
import { strings } from "../strings.ts";
import { CheckField, percent, SelectField, SliderField } from "./field-row.tsx";

const SIDES = ["left", "top", "right", "bottom"] as const;

/** Where an item is, in numbers. X and Y are of its upper left corner before it is turned, as people think of it. */
export function TransformFields(props: { readonly scene: Scene; readonly item: SceneItem; readonly source: Source }) {
  const { scene, item, source } = props;
  const { show } = useServices();
  const words = strings.sources.properties;
  const box = item.transform;
  const change = (changed: (item: SceneItem) => SceneItem, what: string) =>
    show.change(
      strings.sources.steps.transform(source.name),
      (document) => changeItem(document, scene.id, item.id, changed),
      `${what} ${item.id}`,
    );
  const place = (changed: (box: Transform) => Transform, what: string) =>
    change((now) => ({ ...now, transform: within(changed(now.transform)) }), what);
  const done = () => show.endGesture();
  const number = (
    label: string,
    value: number,
    changed: (box: Transform, value: number) => Transform,
    bounds: { min: number; max: number; unit?: string },
  ) => (
    <div className="inline-field">
      <span className="label" aria-hidden="true">
        {label}
      </span>
      <NumberField
        label={label}
        value={value}
        step={1}
        disabled={item.locked}
        {...bounds}
        onChange={(to) => place((now) => changed(now, to), label)}
        onDone={done}
      />
    </div>
  );
  const far = { min: -32_768, max: 32_768 };
  return (
    <section className="properties-section">
      <h3 className="h">{words.transform}</h3>
      <div className="number-grid">
        {number(words.x, box.x - box.width / 2, (now, to) => ({ ...now, x: to + now.width / 2 }), far)}
        {number(words.y, box.y - box.height / 2, (now, to) => ({ ...now, y: to + now.height / 2 }), far)}
        {number(words.width, box.width, (now, to) => ({ ...now, width: to, x: now.x + (to - now.width) / 2 }), {
          min: 1,
          max: 32_768,
        })}
        {number(words.height, box.height, (now, to) => ({ ...now, height: to, y: now.y + (to - now.height) / 2 }), {
          min: 1,
          max: 32_768,
        })}
        {number(words.rotation, box.rotation, (now, to) => ({ ...now, rotation: normalisedRotation(to) }), {
          min: -180,
          max: 180,
          unit: "°",
        })}
        <CheckField
          label={words.mirrored}
          checked={box.mirrored}
          onChange={(mirrored) => {
            place((now) => ({ ...now, mirrored }), "mirror");
            done();
          }}
        />
      </div>
      <SelectField
        label={words.fit}
        value={box.fit}
        choices={(["contain", "cover", "stretch"] as const).map((value) => ({ value, label: words.fits[value] }))}
        onChange={(fit) => {
          place((now) => ({ ...now, fit }), "fit");
          done();
        }}
      />
      <SliderField
        label={words.opacity}
        value={item.opacity}
        min={0}
        max={1}
        step={0.01}
        words={percent}
        onChange={(opacity) => change((now) => ({ ...now, opacity }), "opacity")}
        onDone={done}
      />
      <h3 className="h">{words.crop}</h3>
      <div className="number-grid">
        {SIDES.map((side) => (
          <div className="inline-field" key={side}>
            <span className="label" aria-hidden="true">
              {words[side]}
            </span>
            <NumberField
              label={`${words.crop}: ${words[side]}`}
              value={box.crop[side] * 100}
              min={0}
              max={mostCrop(box, side)}
              step={1}
              unit="%"
              disabled={item.locked}
              onChange={(to) => place((now) => ({ ...now, crop: { ...now.crop, [side]: to / 100 } }), `crop ${side}`)}
              onDone={done}
            />
          </div>
        ))}
      </div>
    </section>
  );
}

const OPPOSITE = { left: "right", right: "left", top: "bottom", bottom: "top" } as const;

/** Percent that may be cut off a side: something has to be left. */
function mostCrop({ crop }: Transform, side: keyof typeof OPPOSITE): number {
  return Math.max(0, Math.floor((1 - crop[OPPOSITE[side]]) * 100) - 1);
}

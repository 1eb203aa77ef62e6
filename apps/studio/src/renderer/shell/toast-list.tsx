import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import { useServices } from "../services.ts";
import { strings } from "../strings.ts";
import { CloseIcon } from "./icons.tsx";

export function ToastList() {
  const { toasts } = useServices();
  const list = useStore(toasts.state);
  const spoken = useStore(toasts.spoken);
  const section = useRef<HTMLElement>(null);
  const newest = list.at(-1)?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new one brings all above a dialog that was opened since.
  useEffect(() => {
    const element = section.current;
    if (element?.matches(":popover-open")) element.hidePopover();
    element?.showPopover();
  }, [newest]);
  return (
    <section ref={section} popover="manual" className="toasts" aria-label={strings.shell.toasts} aria-live="polite">
      <span className="unseen">{spoken}</span>
      {list.map(({ id, text, action, tone }) => (
        <div
          key={id}
          className={`toast ${tone}`}
          role="status"
          onPointerEnter={() => toasts.pause(id)}
          onPointerLeave={() => toasts.resume(id)}
          onFocus={() => toasts.pause(id)}
          onBlur={() => toasts.resume(id)}
        >
          <span className="grow">{text}</span>
          {action === undefined ? null : (
            <button
              type="button"
              className="btn small"
              onClick={() => {
                toasts.dismiss(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          <button
            type="button"
            className="icon-btn"
            aria-label={strings.shell.dismissToast}
            onClick={() => toasts.dismiss(id)}
          >
            <CloseIcon />
          </button>
        </div>
      ))}
    </section>
  );
}

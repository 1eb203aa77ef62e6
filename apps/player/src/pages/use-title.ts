import { useEffect } from "react";
import { strings } from "../strings.ts";

/** Names the tab: `title` before the brand; null for the brand alone. */
export function useTitle(title: string | null): void {
  useEffect(() => {
    document.title = title ? `${title} · ${strings.brand}` : strings.brand;
  }, [title]);
}

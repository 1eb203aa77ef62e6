import { LampMark } from "../controls/icons.tsx";
import { followLink } from "../router.ts";
import { strings } from "../strings.ts";

/** The way home. */
export function SiteHeader() {
  return (
    <header className="site-header">
      <a href="/" className="brand" aria-label={strings.home.label} onClick={followLink}>
        <LampMark />
        <span>{strings.brand}</span>
      </a>
    </header>
  );
}

/** The one next action of a page that has nothing to play. */
export function HomeLink() {
  return (
    <a href="/" className="button is-primary" onClick={followLink}>
      {strings.watch.allChannels}
    </a>
  );
}

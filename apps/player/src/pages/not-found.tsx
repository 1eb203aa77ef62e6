import { LampMark } from "../controls/icons.tsx";
import { strings } from "../strings.ts";
import { HomeLink, SiteHeader } from "./site-header.tsx";
import { useTitle } from "./use-title.ts";

export function NotFoundPage() {
  useTitle(strings.watch.notFoundTitle);
  return (
    <div className="page">
      <SiteHeader />
      <main className="page-words">
        <span className="stage-lamp is-off">
          <LampMark />
        </span>
        <h1>{strings.watch.notFoundTitle}</h1>
        <p>{strings.watch.notFoundDetail}</p>
        <HomeLink />
      </main>
    </div>
  );
}

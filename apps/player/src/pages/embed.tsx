import { useStore } from "zustand";
import { titleOf } from "../api/channel.ts";
import { LampMark } from "../controls/icons.tsx";
import { Player } from "../controls/player.tsx";
import type { Services } from "../services.ts";
import { strings } from "../strings.ts";
import { useViewer } from "../viewer/use-viewer.ts";
import type { Viewer } from "../viewer/viewer.ts";
import { useTitle } from "./use-title.ts";

export interface EmbedPageProps {
  readonly services: Services;
  readonly channel: string;
  readonly autoplay: boolean;
  readonly muted: boolean;
}

/** The player alone, for a frame in somebody else's page (PLY3). */
export function EmbedPage({ services, channel, autoplay, muted }: EmbedPageProps) {
  const viewer = useViewer(services, channel, autoplay, muted);
  return (
    <main className="embed-page">
      {viewer ? <Embedded viewer={viewer} /> : <section className="player on-video" data-state="connecting" />}
    </main>
  );
}

function Embedded({ viewer }: { viewer: Viewer }) {
  const title = useStore(viewer.watch.store, ({ channel }) => channel && titleOf(channel)) ?? viewer.watch.name;
  useTitle(title);
  return (
    <Player
      viewer={viewer}
      title={title}
      homeLink={null}
      header={
        <>
          <h1>{title}</h1>
          <a
            href={`/watch/${encodeURIComponent(viewer.watch.name)}`}
            target="_blank"
            rel="noopener"
            aria-label={strings.embed.open(strings.brand)}
            className="brand"
          >
            <LampMark />
            <span>{strings.brand}</span>
          </a>
        </>
      }
    />
  );
}

import { useStore } from "zustand";
import { titleOf } from "../api/channel.ts";
import { Player } from "../controls/player.tsx";
import { useStage } from "../controls/use-stage.ts";
import type { Services } from "../services.ts";
import { strings } from "../strings.ts";
import { useViewer } from "../viewer/use-viewer.ts";
import type { Viewer } from "../viewer/viewer.ts";
import { ChannelAvatar } from "./channel-avatar.tsx";
import { ShareButton } from "./share.tsx";
import { HomeLink, SiteHeader } from "./site-header.tsx";
import { useNow } from "./use-now.ts";
import { useTitle } from "./use-title.ts";

export interface WatchPageProps {
  readonly services: Services;
  readonly channel: string;
  /** Token of who watches a hidden broadcast of their own. */
  readonly preview?: string | undefined;
}

/** A channel, watched. */
export function WatchPage({ services, channel, preview }: WatchPageProps) {
  const viewer = useViewer(services, channel, true, false, preview);
  return (
    <div className="page watch-page">
      <SiteHeader />
      <main className="watch">
        {viewer ? <Watching viewer={viewer} /> : <section className="player on-video" data-state="connecting" />}
      </main>
    </div>
  );
}

function Watching({ viewer }: { viewer: Viewer }) {
  const snapshot = useStore(viewer.watch.store);
  const { channel } = snapshot;
  const title = channel ? titleOf(channel) : viewer.watch.name;
  const category = channel?.broadcast?.category;
  const stage = useStage(viewer);
  useTitle(title);
  return (
    <>
      <Player viewer={viewer} title={title} homeLink={<HomeLink />} />
      {stage === "missing" ? null : (
        <section className="about">
          <ChannelAvatar name={viewer.watch.name} />
          <div className="about-words">
            <h1>{title}</h1>
            <p>
              {viewer.watch.name}
              {channel ? <AirState viewer={viewer} /> : null}
              {category ? (
                <>
                  <Separator />
                  {category}
                </>
              ) : null}
            </p>
          </div>
          <ShareButton channel={viewer.watch.name} title={title} />
        </section>
      )}
    </>
  );
}

function Separator() {
  return (
    <span className="separator" aria-hidden="true">
      ·
    </span>
  );
}

function AirState({ viewer }: { viewer: Viewer }) {
  const channel = useStore(viewer.watch.store, (snapshot) => snapshot.channel);
  const now = useNow(15_000);
  const words = strings.watch;
  const separator = <Separator />;
  if (!channel?.live_stream_id || channel.state === "ended") {
    return (
      <>
        {separator}
        {words.offAir}
      </>
    );
  }
  if (channel.state === "starting" || channel.live_since === null) {
    return (
      <>
        {separator}
        {words.startingSoon}
      </>
    );
  }
  if (channel.broadcast?.preview || channel.broadcast?.visibility === "private") {
    return (
      <>
        {separator}
        <strong>{channel.broadcast.preview ? words.preview : words.private}</strong>
      </>
    );
  }
  const paused = channel.state === "interrupted";
  return (
    <>
      {separator}
      <span className="live-badge" data-paused={paused}>
        {paused ? words.paused : words.liveFor(now - Date.parse(channel.live_since))}
      </span>
    </>
  );
}

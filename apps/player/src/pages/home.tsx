import type { ChannelInfo } from "@klieg/protocol";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { titleOf } from "../api/channel.ts";
import { ChannelDirectory } from "../api/channel-directory.ts";
import { LampMark } from "../controls/icons.tsx";
import { followLink } from "../router.ts";
import type { Services } from "../services.ts";
import { strings } from "../strings.ts";
import { ChannelAvatar } from "./channel-avatar.tsx";
import { CopyField } from "./copy-field.tsx";
import { LiveStill } from "./live-still.tsx";
import { SiteHeader } from "./site-header.tsx";
import { useNow } from "./use-now.ts";
import { useTitle } from "./use-title.ts";

const words = strings.home;

/** Who is live, and how to become so. */
export function HomePage({ services }: { services: Services }) {
  const directory = useDirectory(services);
  useTitle(null);
  return (
    <div className="page">
      <SiteHeader />
      <main className="home">{directory ? <Directory directory={directory} /> : null}</main>
    </div>
  );
}

function useDirectory({ api }: Services): ChannelDirectory | null {
  const [directory, setDirectory] = useState<ChannelDirectory | null>(null);
  useEffect(() => {
    const next = new ChannelDirectory(api);
    setDirectory(next);
    return () => next.close();
  }, [api]);
  return directory;
}

function Directory({ directory }: { directory: ChannelDirectory }) {
  const { channels, unreachable } = useStore(directory.store);
  if (channels) return <Channels channels={channels} />;
  if (unreachable) {
    return (
      <div className="page-words" role="status">
        <h1>{words.unreachableTitle}</h1>
        <p>{words.unreachableDetail}</p>
        <button type="button" className="button is-primary" onClick={() => directory.refresh()}>
          {words.tryNow}
        </button>
      </div>
    );
  }
  return (
    <p className="page-words late quiet" role="status">
      {words.loading}
    </p>
  );
}

function isOnAir(channel: ChannelInfo): boolean {
  return channel.live_stream_id !== null && channel.state !== "ended";
}

function Channels({ channels }: { channels: readonly ChannelInfo[] }) {
  const live = channels.filter(isOnAir);
  const offAir = channels.filter((channel) => !isOnAir(channel));
  return (
    <>
      {live.length > 0 ? (
        <>
          <h1>{words.title}</h1>
          <ul className="channel-grid">
            {live.map((channel) => (
              <li key={channel.name}>
                <ChannelCard channel={channel} />
              </li>
            ))}
          </ul>
        </>
      ) : (
        <HowToStart />
      )}
      {offAir.length > 0 ? (
        <section className="off-air">
          <h2>{words.offAirTitle}</h2>
          <ul>
            {offAir.map((channel) => (
              <li key={channel.name}>
                <a href={`/watch/${encodeURIComponent(channel.name)}`} onClick={followLink}>
                  <ChannelAvatar name={channel.name} />
                  <span>
                    {channel.title}
                    {channel.title === channel.name ? null : <span className="quiet"> {channel.name}</span>}
                  </span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </>
  );
}

function ChannelCard({ channel }: { channel: ChannelInfo }) {
  const now = useNow(15_000);
  const since = channel.live_since;
  return (
    <a
      className="channel-card"
      href={`/watch/${encodeURIComponent(channel.name)}`}
      aria-label={words.watch(titleOf(channel), channel.name)}
      onClick={followLink}
    >
      <span className="channel-still">
        <LiveStill channel={channel} />
        <span className="live-badge is-over-picture" data-paused={channel.state !== "live"}>
          {channel.state === "live"
            ? strings.watch.live
            : channel.state === "starting"
              ? strings.watch.startingSoon
              : strings.watch.paused}
        </span>
      </span>
      <span className="channel-words">
        <ChannelAvatar name={channel.name} />
        <span>
          <strong>{titleOf(channel)}</strong>
          <span className="quiet">
            {channel.name}
            {since ? (
              <>
                <span className="separator">·</span>
                {strings.watch.liveFor(now - Date.parse(since))}
              </>
            ) : null}
          </span>
        </span>
      </span>
    </a>
  );
}

function HowToStart() {
  const host = location.hostname;
  return (
    <section className="dark-stage">
      <span className="stage-lamp is-off is-large">
        <LampMark />
      </span>
      <h1>{words.emptyTitle}</h1>
      <p>{words.emptyDetail}</p>
      <p className="studio-ways">
        <a className="button is-primary" href="/studio/">
          {words.studio}
        </a>
        <a className="button" href={`klieg://connect?server=${encodeURIComponent(location.origin)}`}>
          {words.studioApp}
        </a>
      </p>
      <div className="ways">
        <section>
          <h2>{words.encoderTitle}</h2>
          <h3>{words.encoderServer}</h3>
          <CopyField label={words.encoderServer} text={`rtmp://${host}/live`} />
          <h3>{words.encoderKey}</h3>
          <p>{words.encoderKeyDetail}</p>
        </section>
        <section>
          <h2>{words.demoTitle}</h2>
          <h3>{words.demoDetail}</h3>
          <CopyField label={words.demoTitle} text="npm run demo" />
        </section>
      </div>
    </section>
  );
}

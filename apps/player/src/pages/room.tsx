import { type ComponentType, useEffect, useState } from "react";
import { LampMark } from "../controls/icons.tsx";
import { strings } from "../strings.ts";
import { SiteHeader } from "./site-header.tsx";

const words = strings.room;

/** A room's page is fetched only when somebody opens one: watching stays small (PLY1). */
export function loadRoomPage() {
  return import("../room/room-page.tsx");
}

type RoomPage = ComponentType<{ roomId: string }>;

/** `/room/:id`: fetches what it takes, and shows it. */
export function LazyRoomPage({ room }: { room: string }) {
  const [page, setPage] = useState<{ readonly Page: RoomPage } | "failed" | null>(null);
  useEffect(() => {
    let gone = false;
    loadRoomPage().then(
      ({ RoomPage }) => {
        if (!gone) setPage({ Page: RoomPage });
      },
      (error: unknown) => {
        console.error("Klieg: the room's page did not load:", error);
        if (!gone) setPage("failed");
      },
    );
    return () => {
      gone = true;
    };
  }, []);
  if (page !== null && page !== "failed") return <page.Page roomId={room} />;
  return (
    <div className="page">
      <SiteHeader />
      <main className={`page-words ${page === null ? "late" : ""}`} role="status">
        <span className="stage-lamp is-off">
          <LampMark />
        </span>
        <h1>{page === null ? words.loading : words.failedTitle}</h1>
        {page === "failed" ? (
          <>
            <p>{words.failedDetail}</p>
            {/* A browser does not fetch a module again that failed once. */}
            <button type="button" className="button is-primary" onClick={() => location.reload()}>
              {strings.stage.reloadPage}
            </button>
          </>
        ) : null}
      </main>
    </div>
  );
}

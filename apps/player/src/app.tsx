import { EmbedPage } from "./pages/embed.tsx";
import { HomePage } from "./pages/home.tsx";
import { NotFoundPage } from "./pages/not-found.tsx";
import { LazyRoomPage } from "./pages/room.tsx";
import { WatchPage } from "./pages/watch.tsx";
import { routeOf, useLocation } from "./router.ts";
import type { Services } from "./services.ts";

/** Picks the page of the address. */
export function App({ services }: { services: Services }) {
  const [path = "/", search = ""] = useLocation().split("?");
  const route = routeOf(path, search);
  switch (route.page) {
    case "home":
      return <HomePage services={services} />;
    case "watch":
      return <WatchPage key={route.channel} services={services} channel={route.channel} preview={route.preview} />;
    case "embed":
      return (
        <EmbedPage
          key={route.channel}
          services={services}
          channel={route.channel}
          autoplay={route.autoplay}
          muted={route.muted}
        />
      );
    case "room":
      return <LazyRoomPage key={route.room} room={route.room} />;
    case "none":
      return <NotFoundPage />;
  }
}

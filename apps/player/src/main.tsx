import { createRoot } from "react-dom/client";
import "@fontsource-variable/inter/wght.css";
import "./theme/fonts.css";
import "./theme/tokens.css";
import "./theme/base.css";
import "./theme/player.css";
import "./theme/controls.css";
import "./theme/panels.css";
import "./theme/small-player.css";
import "./theme/pages.css";
import { App } from "./app.tsx";
import { loadRoomPage } from "./pages/room.tsx";
import { routeOf } from "./router.ts";
import { createServices } from "./services.ts";

const services = createServices();
const route = routeOf(location.pathname, location.search);
if (route.page === "watch" || route.page === "embed") {
  // The answer and the engine travel while React starts: the first frame waits for all three (DLV5).
  services.api.prefetchChannel(route.channel, route.page === "watch" ? route.preview : undefined);
  void import("./playback/hls-engine.ts");
}
// Begun before React is; the page itself reports where it fails.
if (route.page === "room") loadRoomPage().catch(() => undefined);

const container = document.getElementById("app");
if (!container) throw new Error("The page lacks its #app element.");
createRoot(container).render(<App services={services} />);

import { createRoot } from "react-dom/client";
import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./theme/tokens.css";
import "./theme/base.css";
import "./theme/controls.css";
import "./theme/shell.css";
import { App } from "./app.tsx";

const container = document.getElementById("app");
if (!container) throw new Error("The page lacks its #app element.");
createRoot(container).render(<App services={undefined} />);

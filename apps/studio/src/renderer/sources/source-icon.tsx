import { Icon } from "../shell/icons.tsx";
import type { SourceChoice } from "./source-choice.ts";

const DRAWINGS: Readonly<Record<SourceChoice, React.ReactNode>> = {
  camera: (
    <>
      <rect x="1.5" y="4" width="9" height="8" rx="2" />
      <path d="m10.5 7 4-2v6l-4-2" />
    </>
  ),
  screen: (
    <>
      <rect x="1.5" y="2.5" width="13" height="9" rx="1.5" />
      <path d="M6 14h4" />
    </>
  ),
  browser_tab: (
    <>
      <rect x="1.5" y="3" width="13" height="10.5" rx="1.5" />
      <path d="M1.5 6.2h13M6.2 3v3.200" />
    </>
  ),
  microphone: (
    <>
      <rect x="5.8" y="1.5" width="4.4" height="8" rx="2.2" />
      <path d="M3.2 7.500a4.800 4.800 0 0 0 9.600 0M8 12.300v2.200" />
    </>
  ),
  text: <path d="M3 4.500V3h10v1.500M8 3v10M6 13h4" />,
  image: (
    <>
      <rect x="1.5" y="2.5" width="13" height="11" rx="1.5" />
      <circle cx="5.3" cy="6" r="1.2" />
      <path d="m2 12 3.800-3.500 2.500 2 3-3.200L14.300 10.500" />
    </>
  ),
  media_file: (
    <>
      <rect x="1.5" y="2.5" width="13" height="11" rx="1.5" />
      <path d="M6.500 5.500v5l4-2.500z" />
    </>
  ),
  stream: (
    <>
      <circle cx="8" cy="8" r="1.300" />
      <path d="M5.200 10.800a4 4 0 0 1 0-5.600M10.800 5.200a4 4 0 0 1 0 5.600M3.100 12.900a7 7 0 0 1 0-9.800M12.900 3.100a7 7 0 0 1 0 9.800" />
    </>
  ),
  guest: (
    <>
      <circle cx="8" cy="5.5" r="2.5" />
      <path d="M3 13.500c.6-2.800 2.600-4 5-4s4.400 1.200 5 4" />
    </>
  ),
  colour: <path d="M8 1.800s4.500 4.600 4.500 8a4.500 4.500 0 0 1-9 0c0-3.400 4.500-8 4.500-8Z" />,
};

export function SourceIcon({ kind }: { readonly kind: SourceChoice }) {
  return <Icon>{DRAWINGS[kind]}</Icon>;
}

import type { ReactNode } from "react";

/** One drawing on a 20 × 20 grid, in the colour of the text around it. */
function Icon({ children }: { children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

const SLASH = "M3.2 3.2l13.6 13.6";

export const MicrophoneIcon = ({ off = false }: { off?: boolean }) => (
  <Icon>
    <rect className={off ? "stroke" : undefined} x="7.4" y="2.4" width="5.2" height="9.200" rx="2.600" />
    <path className="stroke" d="M4.600 9.400a5.400 5.400 0 0 0 10.800 0M10 14.800v2.800" />
    {off ? <path className="stroke is-slash" d={SLASH} /> : null}
  </Icon>
);

export const CameraIcon = ({ off = false }: { off?: boolean }) => (
  <Icon>
    <rect className={off ? "stroke" : undefined} x="2.200" y="5" width="10.600" height="10" rx="2" />
    <path
      className={off ? "stroke" : undefined}
      d="m14.200 8.600 3.100-2.200c.300-.2.700 0 .7.400v6.400c0 .4-.4.600-.7.400l-3.100-2.200z"
    />
    {off ? <path className="stroke is-slash" d={SLASH} /> : null}
  </Icon>
);

export const ScreenIcon = () => (
  <Icon>
    <path
      className="stroke"
      d="M2.800 4h14.400v9.600H2.800zM7 17h6M10 11.200V6.600m0 0L7.900 8.700M10 6.600l2.100 2.100"
    />
  </Icon>
);

export const HandIcon = ({ up = false }: { up?: boolean }) => (
  <Icon>
    <path
      className={up ? "stroke is-filled" : "stroke"}
      d="M6.300 10.600V5.200a1.150 1.150 0 0 1 2.300 0v4m0-.2V3.700a1.150 1.150 0 0 1 2.300 0V9m0-3.900a1.150 1.150 0 0 1 2.300 0v5m0-2.700a1.150 1.150 0 0 1 2.300 0v4.300c0 3.200-2 5.400-4.900 5.400-2.300 0-3.500-.9-4.600-2.700l-2.100-3.500c-.9-1.600 1-2.700 2-1.500l1.200 1.500"
    />
  </Icon>
);

export const PeopleIcon = () => (
  <Icon>
    <circle className="stroke" cx="7.600" cy="6.800" r="2.900" />
    <path
      className="stroke"
      d="M2.400 16.200c.3-3 2.400-4.700 5.200-4.700s4.900 1.700 5.200 4.700M13 4.200a2.700 2.700 0 0 1 0 5.200m1.600 2.600c1.700.6 2.800 2 3 4.200"
    />
  </Icon>
);

export const TextsIcon = () => (
  <Icon>
    <path
      className="stroke"
      d="M3.400 4h13.200c.5 0 .9.4.9.9v7.700c0 .5-.4.9-.9.9H9.200L5.600 16.600v-3.100H3.400a.9.9 0 0 1-.9-.9V4.900c0-.5.4-.9.9-.9z"
    />
  </Icon>
);

export const GridIcon = () => (
  <Icon>
    <path className="stroke" d="M3 3.500h6v5.500H3zm8 0h6v5.500h-6zM3 11h6v5.500H3zm8 0h6v5.500h-6z" />
  </Icon>
);

export const SpotlightIcon = () => (
  <Icon>
    <path className="stroke" d="M2.800 4h9.700v12H2.800zm12.400 0h2v2.800h-2zm0 4.600h2v2.800h-2zm0 4.600h2V16h-2z" />
  </Icon>
);

export const InviteIcon = () => (
  <Icon>
    <circle className="stroke" cx="8" cy="6.800" r="3" />
    <path
      className="stroke"
      d="M2.600 16.400c.3-3.100 2.500-4.900 5.400-4.900 1.600 0 3 .5 4 1.500M15 11.400v5.200M12.400 14h5.200"
    />
  </Icon>
);

export const MoreIcon = () => (
  <Icon>
    <circle cx="4.600" cy="10" r="1.500" />
    <circle cx="10" cy="10" r="1.500" />
    <circle cx="15.400" cy="10" r="1.500" />
  </Icon>
);

export const LeaveIcon = () => (
  <Icon>
    <path className="stroke" d="M11.500 3.500h-7v13h7M8.500 10h8.500m0 0-3-3m3 3-3 3" />
  </Icon>
);

export const RecordIcon = () => (
  <Icon>
    <circle className="stroke" cx="10" cy="10" r="6.500" />
    <circle cx="10" cy="10" r="3" />
  </Icon>
);

export const OnAirIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="2" />
    <path
      className="stroke"
      d="M6.600 13.400a4.800 4.800 0 0 1 0-6.800m6.800 0a4.800 4.800 0 0 1 0 6.800M4.200 15.800a8.200 8.200 0 0 1 0-11.600m11.600 0a8.200 8.200 0 0 1 0 11.600"
    />
  </Icon>
);

export const LockIcon = () => (
  <Icon>
    <path className="stroke" d="M4.500 9h11v7.500h-11zM7 9V6.500a3 3 0 0 1 6 0V9" />
  </Icon>
);

export const ChevronIcon = ({ to = "down" }: { to?: "down" | "left" | "right" }) => (
  <Icon>
    <path
      className="stroke"
      d={
        to === "down"
          ? "m5.500 8 4.500 4.500L14.500 8"
          : to === "left"
            ? "M12 5.500 7.500 10l4.500 4.500"
            : "M8 5.500 12.500 10 8 14.500"
      }
    />
  </Icon>
);

export const EnlargeIcon = () => (
  <Icon>
    <path className="stroke" d="M11.500 4H16v4.500M8.500 16H4v-4.500M16 4l-5 5M4 16l5-5" />
  </Icon>
);

export const ReduceIcon = () => (
  <Icon>
    <path
      className="stroke"
      d="M16 8.800h-4.800V4M4 11.200h4.800V16M11.200 8.800 16.500 3.500M8.800 11.200 3.500 16.500"
    />
  </Icon>
);

export const SendIcon = () => (
  <Icon>
    <path className="stroke" d="M3.500 10 16.500 4l-3.200 12-4-4.500zm5.800 1.500 3.200-3.200" />
  </Icon>
);

/** Bars of a connection. @param level 1 (weak) to 3 (good). */
export const SignalIcon = ({ level }: { level: 1 | 2 | 3 }) => (
  <Icon>
    <rect x="4" y="11" width="3" height="5" rx="1" />
    <rect x="8.500" y="7.500" width="3" height="8.500" rx="1" opacity={level >= 2 ? 1 : 0.28} />
    <rect x="13" y="4" width="3" height="12" rx="1" opacity={level >= 3 ? 1 : 0.28} />
  </Icon>
);

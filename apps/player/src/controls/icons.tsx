import type { ReactNode } from "react";

/** One drawing on a 20 × 20 grid, in the colour of the text around it. Decorative: the control that holds it has the name. */
function Icon({ children }: { children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const PlayIcon = () => (
  <Icon>
    <path d="M6 3.6v12.8a.6.6 0 0 0 .9.5l10.200-6.400a.6.6 0 0 0 0-1L6.900 3.100a.6.6 0 0 0-.9.5z" />
  </Icon>
);

export const PauseIcon = () => (
  <Icon>
    <path d="M5.600 3.500h2.300a.6.6 0 0 1 .6.6v11.800a.6.6 0 0 1-.6.6H5.600a.6.6 0 0 1-.6-.6V4.100a.6.6 0 0 1 .6-.6zm6.500 0h2.300a.6.6 0 0 1 .6.6v11.800a.6.6 0 0 1-.6.6h-2.300a.6.6 0 0 1-.6-.6V4.100a.6.6 0 0 1 .6-.6z" />
  </Icon>
);

/** @param level 0 (muted) to 2 (loud). */
export const SpeakerIcon = ({ level }: { level: 0 | 1 | 2 }) => (
  <Icon>
    <path d="M2.500 7.600v4.800c0 .3.300.6.600.6h2.600l3.700 3.200c.4.300.9.100.9-.4V4.200c0-.5-.5-.7-.9-.4L5.700 7H3.100a.6.6 0 0 0-.6.6z" />
    {level === 0 ? (
      <path className="stroke" d="m12.900 7.700 4.600 4.600m0-4.600-4.600 4.600" />
    ) : (
      <path className="stroke" d="M12.700 7.600a3.500 3.500 0 0 1 0 4.800" />
    )}
    {level === 2 ? <path className="stroke" d="M15 5.300a6.700 6.700 0 0 1 0 9.400" /> : null}
  </Icon>
);

export const PictureInPictureIcon = () => (
  <Icon>
    <path
      fillRule="evenodd"
      d="M3.600 4h12.800c.6 0 1.100.5 1.100 1.100v9.800c0 .6-.5 1.100-1.100 1.100H3.600c-.6 0-1.100-.5-1.100-1.100V5.100C2.500 4.500 3 4 3.600 4zM4 5.500v9h12v-9zm6 4.500h4.700v3.300H10z"
    />
  </Icon>
);

export const FullScreenIcon = () => (
  <Icon>
    <path className="stroke" d="M3.500 7.500v-4h4m5 0h4v4m0 5v4h-4m-5 0h-4v-4" />
  </Icon>
);

export const LeaveFullScreenIcon = () => (
  <Icon>
    <path className="stroke" d="M7.500 3.500v4h-4m13 0h-4v-4m0 13v-4h4m-13 0h4v4" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path className="stroke" d="m5 5 10 10M15 5 5 15" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path className="stroke" d="m4.500 10.500 3.600 3.700 7.400-8.200" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <path className="stroke" d="M7.500 7.500h8v8h-8zm-3 5v-8h8" />
  </Icon>
);

export const ShareIcon = () => (
  <Icon>
    <path className="stroke" d="M10 12.500v-9m0 0L6.800 6.700M10 3.500l3.200 3.200M4.500 10.500v5h11v-5" />
  </Icon>
);

/** The mark: a lamp and its light. */
export const LampMark = () => (
  <svg className="lamp-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <g transform="rotate(30 12 11)">
      <path className="lamp-beam" d="M18.6 6.600 28.800 3.400v15.200L18.600 15.400z" />
      <path className="lamp-body" d="M9.200 5h6.400v12H9.200a6 6 0 0 1 0-12z" />
    </g>
    <path className="lamp-stand" d="M9.700 19.400V27.500m-4.200 0h8.400" />
  </svg>
);

import type { BitReader } from "../bits/bit-reader.ts";

/** The general part of profile_tier_level(), HEVC 7.3.3. */
export interface HevcProfileTierLevel {
  readonly profileSpace: number;
  readonly highTier: boolean;
  readonly profileIdc: number;
  /** general_profile_compatibility_flag[0] is the most significant bit. */
  readonly compatibility: number;
  /** The 6 bytes of constraint indicator flags. */
  readonly constraints: readonly number[];
  /** 30 times the level's number. */
  readonly levelIdc: number;
}

/** @throws MediaError */
export function readProfileTierLevel(reader: BitReader, maxSubLayersMinus1: number): HevcProfileTierLevel {
  const profileSpace = reader.u(2);
  const highTier = reader.flag();
  const profileIdc = reader.u(5);
  const compatibility = reader.u(32);
  const constraints = Array.from({ length: 6 }, () => reader.u(8));
  const levelIdc = reader.u(8);
  const present: { profile: boolean; level: boolean }[] = [];
  for (let i = 0; i < maxSubLayersMinus1; i += 1) present.push({ profile: reader.flag(), level: reader.flag() });
  if (maxSubLayersMinus1 > 0) reader.skip(2 * (8 - maxSubLayersMinus1));
  for (const layer of present) reader.skip((layer.profile ? 88 : 0) + (layer.level ? 8 : 0));
  return { profileSpace, highTier, profileIdc, compatibility, constraints, levelIdc };
}

/** Words for the profile as in HEVC annex A. */
export function hevcProfileName(ptl: HevcProfileTierLevel): string | undefined {
  const names: Readonly<Record<number, string>> = {
    1: "Main",
    2: "Main 10",
    3: "Main Still Picture",
    4: "Rext",
    5: "High Throughput",
    9: "SCC",
  };
  return ptl.profileSpace === 0 ? names[ptl.profileIdc] : undefined;
}

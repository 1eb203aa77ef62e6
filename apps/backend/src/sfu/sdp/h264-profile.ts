import { isSameProfile, parseSdpProfileLevelId } from "h264-profile-level-id";

type Parameters = Readonly<Record<string, unknown>>;

/** Whether two descriptions of H.264 have the same profile and packetization mode (RFC 6184 § 8.2.2). */
export function isSameH264(a: Parameters, b: Parameters): boolean {
  return packetizationMode(a) === packetizationMode(b) && profileOf(a) !== undefined && isSameProfile(a, b);
}

/** 0: single NAL units only; 1: with aggregation and fragmentation. */
export function packetizationMode(parameters: Parameters): number {
  return Number(parameters["packetization-mode"] ?? 0);
}

/**
 * Of descriptions of H.264 the one of the lowest profile that has all of `wanted`'s tools, else that of the highest;
 * undefined where none has its packetization mode.
 */
export function closestH264<T extends { readonly parameters: Parameters }>(
  offered: readonly T[],
  wanted: Parameters,
): T | undefined {
  const needed = profileOf(wanted) ?? 0;
  let best: { readonly of: T; readonly profile: number } | undefined;
  for (const each of offered) {
    const profile = profileOf(each.parameters);
    if (profile === undefined || packetizationMode(each.parameters) !== packetizationMode(wanted)) continue;
    const isBetter =
      best === undefined ||
      (best.profile < needed ? profile > best.profile : profile >= needed && profile < best.profile);
    if (isBetter) best = { of: each, profile };
  }
  return best?.of;
}

/** From constrained baseline (1) to high 4:4:4 (6), each with the tools of those before it, or nearly. */
function profileOf(parameters: Parameters): number | undefined {
  return parseSdpProfileLevelId(parameters)?.profile;
}

/** The language that the studio speaks, for numbers too: words and figures go together. */
const LANGUAGE = "en";

const one = new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const none = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(LANGUAGE, { weekday: "short", day: "numeric", month: "short" });

/** A whole number with its thousands apart. */
export const count = (value: number): string => none.format(value);

/** One digit behind the point. */
export const tenths = (value: number): string => one.format(value);

/** @param bits bits/s. @returns megabits a second, without the unit. */
export const megabits = (bits: number): string => one.format(bits / 1_000_000);

/** @param bits bits/s. */
export const bitrate = (bits: number): string =>
  bits >= 1_000_000 ? `${megabits(bits)} Mb/s` : `${none.format(bits / 1000)} kb/s`;

/** @param share 0 to 1. */
export const percent = (share: number): string => {
  const percents = share * 100;
  return `${percents === 0 || percents >= 10 ? none.format(percents) : one.format(percents)}%`;
};

/** @param bytes of a file. */
export const fileSize = (bytes: number): string => {
  if (bytes >= 1_000_000_000) return `${one.format(bytes / 1_000_000_000)} GB`;
  if (bytes >= 1_000_000) return `${none.format(bytes / 1_000_000)} MB`;
  return `${none.format(bytes / 1000)} kB`;
};

/** @param ms of a span. @returns `00:42:17`; always as wide. */
export const timer = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const part = (value: number) => String(value).padStart(2, "0");
  return `${part(Math.floor(seconds / 3600))}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
};

/** @param ms of a span, in words that are read once: "12 s", "3 min", "1 h 20 min". */
export const span = (ms: number): string => {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** @param at epoch ms. @returns `20:15`. */
export const timeOfDay = (at: number): string => clock.format(at);

/** @param at epoch ms. @returns `Fri, 21 Nov, 20:15`. */
export const dayAndTime = (at: number): string => `${day.format(at)}, ${clock.format(at)}`;

/** @param db dBFS, or gain. @returns with a sign that is as wide as a digit; `−∞` where there is nothing. */
export const decibels = (db: number): string => {
  if (!Number.isFinite(db) || db <= -90) return "−∞";
  const text = one.format(Math.abs(db));
  return db < 0 && text !== "0.0" ? `−${text}` : text;
};

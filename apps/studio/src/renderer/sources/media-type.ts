/** Films and sound of which browsers know no type, or a wrong one; the engine plays them all the same. */
const BY_EXTENSION: Readonly<Record<string, string>> = {
  mkv: "video/x-matroska",
  avi: "video/x-msvideo",
  flv: "video/x-flv",
  m2ts: "video/mp2t",
  mts: "video/mp2t",
  ts: "video/mp2t",
  mxf: "video/mxf",
  vob: "video/mpeg",
  wmv: "video/x-ms-wmv",
  caf: "audio/x-caf",
  wma: "audio/x-ms-wma",
};

/** For a file picker: extensions beside the types that it knows. */
export const OTHER_FILMS = Object.keys(BY_EXTENSION).map((extension) => `.${extension}`);

/** A file with the type of what is in it, as far as its name tells. */
export function withMediaType(file: File): File {
  if (/^(image|video|audio)\//.test(file.type)) return file;
  const extension = /\.([a-z0-9]{2,4})$/i.exec(file.name)?.[1]?.toLowerCase() ?? "";
  const type = Object.hasOwn(BY_EXTENSION, extension) ? BY_EXTENSION[extension] : undefined;
  return type === undefined ? file : new File([file], file.name, { type });
}

/** The part of m3u8-parser that the tests use; the package has no types of its own. */
declare module "m3u8-parser" {
  export class Parser {
    readonly manifest: {
      targetDuration: number;
      mediaSequence: number;
      discontinuitySequence: number;
      endList?: boolean;
      skip?: { skippedSegments: number };
      segments: { uri: string; duration: number }[];
    };
    on(event: "warn", listener: (warning: unknown) => void): void;
    push(text: string): void;
    end(): void;
  }
}

/** The part of m3u8-parser that the tests look at; the package ships no types. */
declare module "m3u8-parser" {
  export class Parser {
    push(text: string): void;
    end(): void;
    readonly manifest: {
      readonly endList?: boolean;
      readonly mediaSequence?: number;
      readonly discontinuitySequence?: number;
      readonly targetDuration?: number;
      readonly partTargetDuration?: number;
      readonly skip?: { readonly skippedSegments: number };
      readonly segments?: readonly M3u8Segment[];
      readonly preloadSegment?: M3u8Segment;
      readonly renditionReports?: readonly {
        readonly uri: string;
        readonly lastMsn: number;
        readonly lastPart?: number;
      }[];
      readonly playlists?: readonly {
        readonly uri: string;
        readonly attributes: Readonly<Record<string, unknown>>;
      }[];
      readonly mediaGroups?: {
        readonly AUDIO: Readonly<Record<string, Readonly<Record<string, { readonly uri?: string }>>>>;
      };
    };
    on(event: "warn", listener: (warning: { readonly message: string }) => void): void;
  }
  export interface M3u8Segment {
    readonly uri?: string;
    readonly duration: number;
    readonly discontinuity?: boolean;
    readonly gap?: boolean;
    readonly map?: { readonly uri: string };
    readonly parts?: readonly {
      readonly uri: string;
      readonly duration: number;
      readonly independent?: boolean;
      readonly gap?: boolean;
    }[];
    readonly preloadHints?: readonly { readonly uri: string; readonly type: string }[];
  }
}

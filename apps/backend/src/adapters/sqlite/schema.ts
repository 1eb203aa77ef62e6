/** Columns are portable between SQLite and PostgreSQL: text, and whole numbers up to 2^53 (times in Unix ms). */
export interface Schema {
  channels: { name: string; title: string; profile: string; default_playback: string; created_at: number };
  stream_keys: {
    id: string;
    channel: string;
    label: string;
    fingerprint: string | null;
    created_at: number;
    revoked_at: number | null;
  };
  streams: {
    id: string;
    channel: string;
    state: string;
    protocol: string | null;
    encoder: string | null;
    started_at: number;
    live_at: number | null;
    ended_at: number | null;
    end_reason: string | null;
  };
}

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
    /** JSON. */
    audience: string | null;
  };
  rooms: {
    id: string;
    title: string;
    channel: string | null;
    key_id: string | null;
    /** 0 or 1. */
    locked: number;
    created_at: number;
    ended_at: number | null;
  };
  room_invites: {
    id: string;
    room: string;
    role: string;
    label: string;
    created_at: number;
    expires_at: number;
    revoked_at: number | null;
  };
  room_recordings: {
    id: string;
    room: string;
    state: string;
    started_at: number;
    ended_at: number | null;
    end_reason: string | null;
    bytes: number;
    duration_ms: number;
  };
}

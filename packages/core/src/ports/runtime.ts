/** Time and chance as core sees them; a simulated pair makes every run repeatable. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic time in milliseconds; only differences mean anything. All deadlines run on it. */
  now(): number;
  /** Wall time in milliseconds since 1970; used only to read and write rows. */
  wall(): number;
  /** Calls `run` once, `ms` milliseconds from now at the earliest. */
  after(ms: number, run: () => void): Timer;
}

export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Unguessable token of the characters 0-9 a-z A-Z, at least 80 bits; for tags, Call-IDs, tuple ids. */
  token(): string;
}

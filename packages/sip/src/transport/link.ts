/** The cut between a connection and what it is made of: bytes that need framing, or WebSocket frames. */

export interface Link {
  /** Whole messages in one go; `taken` is called when the system has accepted them all, or with the error that it has. */
  write(messages: readonly Uint8Array[], taken: (error?: Error | null) => void): void;
  ping(): void;
  /** Says goodbye; what was written before still leaves. */
  end(): void;
  destroy(): void;
}

/** What a link tells. After `closed` it tells nothing more. */
export interface LinkOwner {
  /** From now on messages can be written. */
  opened(): void;
  message(bytes: Buffer): void;
  /** A keep-alive that wants an answer. */
  ping(): void;
  /** What may be the answer to a keep-alive of ours. */
  pong(): void;
  /** After what it was made of: something has arrived. `held`: bytes of a message whose end has not come yet. */
  arrived(held: number): void;
  /** Nothing more can be read of what the peer sends; closed() follows. */
  broken(fault: string): void;
  /** Once; without a cause when the peer has closed it. */
  closed(cause: Error | undefined): void;
}

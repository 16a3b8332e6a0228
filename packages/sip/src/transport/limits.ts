/** What a connection may cost us, in bytes and milliseconds. */
import { MAX_HEAD_BYTES } from '../message/head.js';

/** A larger body is neither sent nor received over a connection. */
export const MAX_BODY_BYTES = 1 << 20;
/** Largest message over a connection, in both directions. */
export const STREAM_MAX_MESSAGE = MAX_HEAD_BYTES + MAX_BODY_BYTES;
/** Half-read messages of all connections together; beyond, the largest one's connection is closed. */
export const MAX_HALF_READ_BYTES = 64 << 20;
/** What waits for one peer to read; beyond, messages are refused. */
export const MAX_OUTPUT_BYTES = 16 << 20;
/** The same for all peers together. */
export const MAX_OUTPUT_BYTES_IN_ALL = 256 << 20;
/** What is handed to the system in one go. */
export const BATCH_BYTES = 64 << 10;

/** Until a connection is usable, handshakes of TLS and WebSocket included. */
export const CONNECT_MS = 5_000;
/** The same for a request that can go by UDP instead. */
export const CONNECT_INSTEAD_OF_UDP_MS = 2_000;
/** From the first byte of a message to its last. */
export const HALF_READ_MS = 10_000;
/** A peer that takes nothing for so long while something waits for it does not read any more. */
export const STALLED_MS = 10_000;
/** A connection on which nothing came for so long while a request timed out is not trusted any more: 64*T1. */
export const SILENT_PEER_MS = 32_000;

/** RFC 5626 4.4.1: between our keep-alives, chosen anew each time; and how long their answer may take. */
export const PING_MIN_MS = 95_000;
export const PING_MAX_MS = 120_000;
export const PONG_MS = 10_000;

/** An accepted connection on which nothing comes, no keep-alive either, is closed. */
export const ACCEPTED_IDLE_MS = 600_000;
/**
 * One that we opened is held by keep-alives, so that NOTIFYs find it; without any message for so long it is closed.
 * More than the hour that publications and subscriptions live by default, so that their refreshes find it too.
 */
export const OPENED_IDLE_MS = 4_200_000;

/** How long peers may take to say goodbye. */
export const GOODBYE_MS = 500;

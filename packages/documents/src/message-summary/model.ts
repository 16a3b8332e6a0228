/** Typed form of `application/simple-message-summary` (RFC 3842). Lists are absent when empty. */

export interface MessageSummary {
  /** `Messages-Waiting` */
  readonly waiting: boolean;
  /** `Message-Account`: URI of the mailbox; needed where the subscription is to a group. */
  readonly account?: string;
  /** One per context class. */
  readonly counts?: readonly MessageCount[];
  /** Headers of messages that are new since the last notification, a list per message; never in the first notification. */
  readonly messages?: readonly (readonly MessageHeader[])[];
}

/** Numbers of messages, each 0 to 2^32 - 1. */
export interface MessageCount {
  readonly context: MessageContext;
  readonly new: number;
  readonly old: number;
  /** How many of them are urgent. */
  readonly urgent?: { readonly new: number; readonly old: number };
}

export interface MessageHeader {
  readonly name: string;
  /** Without line ends; folded lines are one. */
  readonly value: string;
}

/** Context classes of RFC 3458 section 6.2 and RFC 3938. */
export const messageContexts = [
  'voice-message',
  'video-message',
  'fax-message',
  'pager-message',
  'multimedia-message',
  'text-message',
  'none',
] as const;
export type MessageContext = (typeof messageContexts)[number];

export const MAX_COUNT = 0xffffffff;

/** Name of a header (token of RFC 3261). */
export const HEADER_NAME = /^[\w!%*+`'~.-]+$/;

/** RFC 3261 section 25.1 in outline: a scheme, and neither white space nor the brackets that must not stand around it. */
export const ACCOUNT_URI = /^[a-z][a-z0-9+.-]*:[^\s<>]+$/i;

/** What no line may contain: control characters but the tab, and halves of a character. */
export const ILLEGAL_IN_LINE = /(?!\t)[\p{Cc}\p{Cs}]/u;

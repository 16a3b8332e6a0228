/** Header field names, their compact forms, and reason phrases (RFC 3261 7.3.3, 20, 21 and the extensions we meet). */
import { COMPACT_HEADERS } from '@pua/core';

const COMPACT = new Map(Object.entries(COMPACT_HEADERS));
const compactOf = new Map([...COMPACT].map(([short, long]) => [long, short.charCodeAt(0)]));

/** A name as it is looked for: in lower case and long form, with the code of its compact letter (0: none). */
export interface NameKey {
  readonly name: string;
  readonly compact: number;
}

/** Programs ask for few names, over and over; the bound is for one that asks for names out of messages. */
const KNOWN_NAMES = 512;
const keys = new Map<string, NameKey>();

export function nameKey(asked: string): NameKey {
  const known = keys.get(asked);
  if (known) return known;
  const lower = asked.toLowerCase();
  const name = COMPACT.get(lower) ?? lower;
  const key = { name, compact: compactOf.get(name) ?? 0 };
  if (keys.size < KNOWN_NAMES) keys.set(asked, key);
  return key;
}

/** `text` at `at` spells `lower`, without case. Only for text of token characters. */
export function spells(text: string, at: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    if ((text.charCodeAt(at + i) | 0x20) !== (lower.charCodeAt(i) | 0x20)) return false;
  }
  return true;
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  200: 'OK',
  202: 'Accepted',
  204: 'No Notification',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Moved Temporarily',
  305: 'Use Proxy',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  410: 'Gone',
  412: 'Conditional Request Failed',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  421: 'Extension Required',
  423: 'Interval Too Brief',
  439: 'First Hop Lacks Outbound Support',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  484: 'Address Incomplete',
  485: 'Ambiguous',
  486: 'Busy Here',
  488: 'Not Acceptable Here',
  489: 'Bad Event',
  491: 'Request Pending',
  493: 'Undecipherable',
  494: 'Security Agreement Required',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  505: 'Version Not Supported',
  513: 'Message Too Large',
  580: 'Precondition Failure',
  600: 'Busy Everywhere',
  603: 'Decline',
  604: 'Does Not Exist Anywhere',
  606: 'Not Acceptable',
};
const CLASSES = ['', 'Trying', 'OK', 'Redirection', 'Bad Request', 'Server Failure', 'Global Failure'];

/** Reason phrase of a status; an unknown one gets that of its class (RFC 3261 8.1.3.2). */
export function reasonPhrase(status: number): string {
  return REASONS[status] ?? CLASSES[Math.floor(status / 100)] ?? 'Unknown';
}

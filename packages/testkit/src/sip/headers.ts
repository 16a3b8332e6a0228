/** Reading the few header fields that a presence server and a watcher need. */

/** A name-addr or addr-spec with the parameters of its header field. */
export interface Address {
  /** The URI, without angle brackets. */
  readonly uri: string;
  readonly tag: string | undefined;
}

/** Reads From, To, Contact, Route: `"A" <sip:a@b;lr>;tag=x` or `sip:a@b;tag=x`. Never throws. */
export function parseAddress(value: string): Address {
  const open = indexOutsideQuotes(value, '<');
  let uri: string;
  let rest: string;
  if (open >= 0) {
    const close = value.indexOf('>', open);
    uri = value.slice(open + 1, close < 0 ? undefined : close);
    rest = close < 0 ? '' : value.slice(close + 1);
  } else {
    // Without brackets the parameters are the header's (RFC 3261 20).
    const semicolon = value.indexOf(';');
    uri = semicolon < 0 ? value : value.slice(0, semicolon);
    rest = semicolon < 0 ? '' : value.slice(semicolon);
  }
  return { uri: uri.trim(), tag: /;\s*tag\s*=\s*([^;\s]+)/i.exec(rest)?.[1] };
}

function indexOutsideQuotes(value: string, character: string): number {
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    if (quoted && value[i] === '\\') i++;
    else if (value[i] === '"') quoted = !quoted;
    else if (!quoted && value[i] === character) return i;
  }
  return -1;
}

/** Entries of a comma separated list; commas in quotes and in angle brackets don't count. */
export function splitList(value: string): string[] {
  const entries: string[] = [];
  let quoted = false;
  let bracket = false;
  let start = 0;
  for (let i = 0; i < value.length; i++) {
    const character = value[i];
    if (quoted) {
      if (character === '\\') i++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '<') bracket = true;
    else if (character === '>') bracket = false;
    else if (character === ',' && !bracket) {
      entries.push(value.slice(start, i).trim());
      start = i + 1;
    }
  }
  entries.push(value.slice(start).trim());
  return entries.filter((entry) => entry !== '');
}

/** All entries of a header field that may be spread over several lines. */
export function listOf(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : lines.flatMap(splitList);
}

/** `user@host[:port]`, the host in lower case: without scheme, password, parameters, headers. */
export function addressOfRecord(uri: string): string {
  const match = /^[a-z][a-z0-9+.-]*:(?:([^@:;?]*)(?::[^@]*)?@)?([^;?]*)/i.exec(uri.trim());
  if (!match) return uri.trim().toLowerCase();
  const host = match[2]!.toLowerCase();
  return match[1] === undefined ? host : `${match[1]}@${host}`;
}

/** delta-seconds; undefined when absent or not a number. */
export function deltaSeconds(value: string | undefined): number | undefined {
  const digits = value === undefined ? null : /^\s*(\d+)/.exec(value);
  return digits ? Number(digits[1]) : undefined;
}

/** Number of a CSeq field; NaN when it can't be read. */
export function cseqOf(value: string | undefined): number {
  return Number.parseInt(value ?? '', 10);
}

/** Event value without `id` and without white space: `dialog;sla`; undefined when absent. */
export function eventKey(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (!value.includes(';')) return value.trim();
  return value
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '' && !/^id\s*=/i.test(part))
    .join(';');
}

/** Media type without parameters, in lower case. */
export function mediaType(value: string): string {
  return value.split(';', 1)[0]!.trim().toLowerCase();
}

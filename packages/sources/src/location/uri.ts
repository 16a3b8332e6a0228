/** Do two Contact URIs name the same place? (RFC 3261 19.1.4) */

/** Where the parts of a SIP URI end. */
interface Place {
  readonly scheme: string;
  /** User and password, escapes normalized; absent is not the same as empty. */
  readonly userinfo: string | undefined;
  /** With port, in lower case. */
  readonly host: string;
  /** `;parameters` and `?headers`, as written. */
  readonly parameters: string;
  readonly headers: string;
}

/** In one URI only, they tell it from the other; every other parameter is then ignored. */
const TELLING = ['transport', 'user', 'ttl', 'method', 'maddr'];
const RESERVED = ';/?:@&=+$,';

/** An escaped character equals the character itself, unless it is a reserved one. */
function normalized(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9a-f]{2})/gi, (escaped, hex: string) => {
    const code = Number.parseInt(hex, 16);
    const char = String.fromCharCode(code);
    return code > 0x20 && code < 0x7f && char !== '%' && !RESERVED.includes(char) ? char : escaped.toUpperCase();
  });
}

function placeOf(uri: string): Place | undefined {
  const colon = uri.indexOf(':');
  const scheme = uri.slice(0, Math.max(0, colon)).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  const at = uri.indexOf('@', colon);
  const start = Math.max(at, colon) + 1;
  const question = uri.indexOf('?', start);
  const end = question < 0 ? uri.length : question;
  const semicolon = uri.indexOf(';', start);
  const hostEnd = semicolon < 0 || semicolon > end ? end : semicolon;
  return {
    scheme,
    userinfo: at < 0 ? undefined : normalized(uri.slice(colon + 1, at)),
    host: uri.slice(start, hostEnd).toLowerCase(),
    parameters: uri.slice(hostEnd, end),
    headers: uri.slice(end),
  };
}

function parametersOf(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const parameter of text.split(';').slice(1)) {
    const equals = parameter.indexOf('=');
    const name = normalized(equals < 0 ? parameter : parameter.slice(0, equals)).toLowerCase();
    parameters.set(name, equals < 0 ? '' : normalized(parameter.slice(equals + 1)).toLowerCase());
  }
  return parameters;
}

function sameParameters(one: string, other: string): boolean {
  if (one === other) return true;
  const a = parametersOf(one);
  const b = parametersOf(other);
  for (const [name, value] of a) {
    const its = b.get(name);
    if (its !== undefined && its !== value) return false;
  }
  return TELLING.every((name) => a.has(name) === b.has(name));
}

const sorted = (headers: string): string => normalized(headers.slice(1)).toLowerCase().split('&').sort().join('&');

/** Other schemes than sip and sips are compared letter by letter. */
export function sameUri(one: string, other: string): boolean {
  if (one === other) return true;
  const a = placeOf(one);
  const b = a && placeOf(other);
  if (!a || !b || a.host !== b.host || a.userinfo !== b.userinfo || a.scheme !== b.scheme) return false;
  return (
    (a.headers === b.headers || sorted(a.headers) === sorted(b.headers)) && sameParameters(a.parameters, b.parameters)
  );
}

/** Do two Contact URIs name the same place? (RFC 3261 19.1.4) */

interface Parts {
  readonly scheme: string;
  /** User and password, escapes normalized; absent is not the same as empty. */
  readonly userinfo: string | undefined;
  readonly host: string;
  readonly parameters: ReadonlyMap<string, string>;
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

function divide(uri: string): Parts | undefined {
  const colon = uri.indexOf(':');
  const scheme = uri.slice(0, Math.max(0, colon)).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  const at = uri.indexOf('@', colon);
  const question = uri.indexOf('?', Math.max(at, colon));
  const end = question < 0 ? uri.length : question;
  const [host = '', ...given] = uri.slice(Math.max(at, colon) + 1, end).split(';');
  const parameters = new Map<string, string>();
  for (const parameter of given) {
    const equals = parameter.indexOf('=');
    const name = equals < 0 ? parameter : parameter.slice(0, equals);
    parameters.set(
      normalized(name).toLowerCase(),
      equals < 0 ? '' : normalized(parameter.slice(equals + 1)).toLowerCase(),
    );
  }
  return {
    scheme,
    userinfo: at < 0 ? undefined : normalized(uri.slice(colon + 1, at)),
    host: host.toLowerCase(),
    parameters,
    headers:
      question < 0
        ? ''
        : normalized(uri.slice(question + 1))
            .toLowerCase()
            .split('&')
            .sort()
            .join('&'),
  };
}

/** Other schemes than sip and sips are compared letter by letter. */
export function sameUri(one: string, other: string): boolean {
  if (one === other) return true;
  const a = divide(one);
  const b = a && divide(other);
  if (!a || !b) return false;
  if (a.scheme !== b.scheme || a.userinfo !== b.userinfo || a.host !== b.host || a.headers !== b.headers) return false;
  for (const [name, value] of a.parameters) {
    const its = b.parameters.get(name);
    if (its !== undefined && its !== value) return false;
  }
  return TELLING.every((name) => a.parameters.has(name) === b.parameters.has(name));
}

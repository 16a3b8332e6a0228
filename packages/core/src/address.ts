/** The little of SIP's address syntax (RFC 3261 25.1) that core reads itself. */

/** Splits a comma separated list; a comma inside quotes or angle brackets does not separate. */
export function splitAddresses(list: string): string[] {
  const found: string[] = [];
  let quoted = false;
  let inside = false;
  let start = 0;
  for (let i = 0; i <= list.length; i++) {
    const c = list[i];
    if (c === undefined || (c === ',' && !quoted && !inside)) {
      const entry = list.slice(start, i).trim();
      if (entry !== '') found.push(entry);
      start = i + 1;
    } else if (c === '\\' && quoted) i++;
    else if (c === '"' && !inside) quoted = !quoted;
    else if (c === '<' && !quoted) inside = true;
    else if (c === '>' && !quoted) inside = false;
  }
  return found;
}

/** Splits `name-addr` or `addr-spec` into the URI and the header parameters behind it. */
function divide(address: string): { uri: string; parameters: string } {
  let quoted = false;
  for (let i = 0; i < address.length; i++) {
    const c = address[i];
    if (c === '\\' && quoted) i++;
    else if (c === '"') quoted = !quoted;
    else if (c === '<' && !quoted) {
      const end = address.indexOf('>', i);
      return end < 0
        ? { uri: '', parameters: '' }
        : { uri: address.slice(i + 1, end).trim(), parameters: address.slice(end + 1) };
    }
  }
  // Without brackets the parameters belong to the header, not to the URI (20.10).
  const semicolon = address.indexOf(';');
  return semicolon < 0
    ? { uri: address.trim(), parameters: '' }
    : { uri: address.slice(0, semicolon).trim(), parameters: address.slice(semicolon) };
}

/** The URI of a name-addr or addr-spec; empty when there is none. */
export const addressUri = (address: string): string => divide(address).uri;

/** The tag parameter of a From or To value; empty when there is none. */
export function addressTag(address: string): string {
  return /;\s*tag\s*=\s*([^;,\s]+)/i.exec(divide(address).parameters)?.[1] ?? '';
}

/** A header parameter of a name-addr or addr-spec; empty when there is none. */
export function addressParameter(address: string, name: string): string {
  for (const parameter of divide(address).parameters.split(';')) {
    const [key, value = ''] = parameter.split('=');
    if (key!.trim().toLowerCase() === name) return value.trim();
  }
  return '';
}

/** Values of strangers, made fit for documents. */
import { addressUri } from '@pua/core';
import type { DialogIdentity } from '@pua/documents';

/** Kamailio's limit; core refuses longer presentities, too. */
const MAX_URI = 1024;

const UNFIT = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
const URI = /^[a-z][a-z0-9+.-]*:[^\s<>"\p{Cc}]+$/iu;

/** What XML 1.0 has no way to carry is shown as U+FFFD. */
export const fitText = (text: string): string => text.replace(UNFIT, '\ufffd');

export function isUri(uri: string | undefined): uri is string {
  return uri !== undefined && uri.length <= MAX_URI && URI.test(uri) && uri.search(UNFIT) < 0;
}

/** Can it be published for? Who is anonymous (RFC 3323 section 4.1.1.3) is nobody's presentity. */
export function isPresentity(uri: string): boolean {
  return isUri(uri) && /^(?:sips?|tel|pres|im):/i.test(uri) && !/@anonymous\.invalid(?:[:;?]|$)/i.test(uri);
}

/** User part of a SIP URI, number of a tel URI; empty when there is none. */
export function userOf(uri: string): string {
  const match = /^(?:sips?:([^@]*)@|tel:([^;]*))/i.exec(uri);
  return (match?.[1] ?? match?.[2] ?? '').replace(/[:;].*$/, '');
}

/** name-addr or addr-spec; undefined: neither. */
export function parseNameAddr(text: string): DialogIdentity | undefined {
  const uri = addressUri(text);
  if (!isUri(uri)) return undefined;
  const open = text.indexOf('<');
  const name = open < 0 ? '' : text.slice(0, text.startsWith('"') ? closingQuote(text) : open).trim();
  return identity(uri, name.startsWith('"') ? name.slice(1).replace(/\\(.)/g, '$1') : name);
}

function closingQuote(text: string): number {
  for (let i = 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i;
  }
  return text.length;
}

export function identity(uri: string, display?: string): DialogIdentity {
  return display ? { uri, display: fitText(display) } : { uri };
}

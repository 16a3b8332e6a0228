/** Which presentities are ours: the host of each URI that is published for, compared without case and port. */
import { PuaError } from '@pua/core';

/** Names and `/expressions/` in a text or list, or a function that gets the host in lower case. */
export type DomainList = string | readonly (string | RegExp)[] | ((host: string) => boolean) | null;

/** Host of a URI in lower case; empty when it has none (`tel:`). */
export function hostOf(uri: string): string {
  const match = /^(?:sips?|pres|im):(?:[^@]*@)?(\[[^\]]*\]|[^:;?]*)/i.exec(uri);
  return (match?.[1] ?? '').toLowerCase().replace(/\.$/, '');
}

/**
 * null: no check.
 * @throws PuaError `PUA_ERR_OPTION` for an expression that is none
 */
export function localDomainTest(given: DomainList): ((uri: string) => boolean) | null {
  if (given === null) return null;
  if (typeof given === 'function') return (uri) => given(hostOf(uri));
  const names = new Set<string>();
  const expressions: RegExp[] = [];
  for (const entry of typeof given === 'string' ? (given.match(/\/(?:[^/\\]|\\.)*\/|[^,\s]+/g) ?? []) : given) {
    if (entry instanceof RegExp) expressions.push(new RegExp(entry.source, entry.flags.replace(/[gy]/g, '')));
    else if (typeof entry === 'string' && entry.startsWith('/') && entry.endsWith('/') && entry.length > 2)
      expressions.push(expression(entry.slice(1, -1)));
    else if (typeof entry === 'string' && /^[^\s/@]+$/.test(entry)) names.add(hostOf(`sip:${entry}`));
    else throw refused(`${JSON.stringify(entry)} is neither a host name nor a /regular expression/`);
  }
  return (uri) => {
    const host = hostOf(uri);
    return names.has(host) || expressions.some((one) => one.test(host));
  };
}

function expression(source: string): RegExp {
  try {
    return new RegExp(source, 'i');
  } catch (error) {
    throw refused((error as Error).message);
  }
}

const refused = (why: string) => new PuaError('PUA_ERR_OPTION', `dialoginfo localDomains (local_domains): ${why}`);

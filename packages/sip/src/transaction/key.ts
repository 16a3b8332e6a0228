/** What makes a server transaction one, and where its answers go (RFC 3261 17.2.3, 18.2.2; RFC 3581). */
import { isIP } from 'node:net';
import type { RequestMessage } from '../message/parse.js';
import type { Via } from '../message/via.js';
import type { Carrier } from '../transport/carrier.js';

const MAGIC_COOKIE = 'z9hG4bK';

export function transactionKey(message: RequestMessage): string {
  const { via, method, head } = message;
  const { branch } = via;
  if (branch?.startsWith(MAGIC_COOKIE)) return `${branch} ${via.sentBy} ${method}`;
  // RFC 2543: no unique branch; the same request is one that is alike in all of these.
  let key = `${message.uri} ${method}`;
  for (const line of [head.via, head.from, head.to, head.callId, head.cseq]) {
    key += `\n${head.binary(line)}`;
  }
  return key;
}

const SIP_PORT = 5060;

/** A connection takes the answer itself; a datagram goes to maddr, else back to the source: to rport or sent-by's port. */
export function answerAddress(
  via: Via,
  carrier: Carrier,
  host: string,
  port: number,
): { readonly host: string; readonly port: number } {
  if (carrier.reliable) return { host, port };
  const named = via.port ?? SIP_PORT;
  if (via.maddr !== undefined) {
    const address = via.maddr.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0 && isIP(address) === isIP(host)) return { host: address, port: named };
  }
  return { host, port: via.rport >= 0 ? port : named };
}

/** What makes a server transaction one, and where its answers go (RFC 3261 17.2.3, 18.2.2; RFC 3581). */
import type { RequestMessage } from '../message/parse.js';
import type { Via } from '../message/via.js';
import type { Carrier } from '../transport/carrier.js';

const MAGIC_COOKIE = 'z9hG4bK';

export function transactionKey(message: RequestMessage): string {
  const { via, method, head } = message;
  const { branch } = via;
  // The cookie alone identifies nothing (RFC 4475 3.2.1).
  if (branch?.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length)
    return ownText(`${branch} ${via.sentBy} ${method}`);
  // As in RFC 2543, without a unique branch: the same request is one that is alike in all of these.
  let key = `${message.uri} ${method}`;
  for (const line of [head.via, head.from, head.to, head.callId, head.cseq]) {
    key += `\n${head.binary(line)}`;
  }
  return ownText(key);
}

/** What is made of pieces of a message keeps all of it alive, up to a megabyte; keys live longer than their message. */
function ownText(text: string): string {
  return Buffer.from(text).toString();
}

const SIP_PORT = 5060;
const SIPS_PORT = 5061;

/**
 * A datagram goes back to the source: to rport or sent-by's port. A connection takes the answer itself; if it is gone,
 * another one to sent-by's port does. maddr (18.2.2) is meant for requests by multicast, which we don't receive; followed
 * for others, it would let anybody aim our answers at any host.
 */
export function answerAddress(
  via: Via,
  carrier: Carrier,
  host: string,
  port: number,
): { readonly host: string; readonly port: number } {
  if (carrier.reliable) return { host, port: via.port ?? (carrier.transport === 'tls' ? SIPS_PORT : SIP_PORT) };
  return { host, port: via.rport >= 0 ? port : (via.port ?? SIP_PORT) };
}

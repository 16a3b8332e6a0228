export { type EmbeddedSip, embeddedSip } from './engine.js';
export type { CSeq } from './message/head.js';
export { Parameters } from './message/parameters.js';
export {
  type ParsedMessage,
  type ParsedRequest,
  type ParsedResponse,
  type ParseFailure,
  parseMessage,
} from './message/parse.js';
export { escapeUser, type NameAddr, parseNameAddr, parseUri, type SipUri } from './message/uri.js';
export type { Via } from './message/via.js';
export type { EmbeddedSipOptions } from './options.js';
export {
  type HostAddress,
  type NameService,
  type NaptrRecord,
  type SrvRecord,
  type SystemNamesOptions,
  systemNames,
} from './resolve/names.js';
export { systemClock, systemRandom } from './runtime.js';
export type { ConnectionCounts, ConnectionStats, DropCounts, RefuseCounts, SipStats } from './stats.js';
export { type BindDatagram, type DatagramSocket, nodeDatagram } from './transport/datagram.js';
export type { SipTlsOptions } from './transport/tls.js';

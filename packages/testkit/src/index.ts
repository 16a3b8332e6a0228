export { type ComplianceCase, sipPortCompliance } from './compliance/sip.js';
export type { MakeSipPort, SipPortFixture, SipPortTraits } from './compliance/sip-scene.js';
export { type StoreComplianceOptions, type StoreFixture, storeCompliance } from './compliance/store.js';
export { fullRow, publicationRow, RowHolder, subscriptionRow } from './compliance/store-rows.js';
export { type WireAnswer, type WireMessage, WirePeer, type WireRequest } from './compliance/wire-peer.js';
export { DrachtioServer, type DrachtioServerOptions } from './drachtio/server.js';
export type { DatabaseAccess } from './launch/access.js';
export { type KamailioOptions, type LaunchedKamailio, launchKamailio, type PresentityRow } from './launch/kamailio.js';
export { type KamailioProxyOptions, type LaunchedKamailioProxy, launchKamailioProxy } from './launch/kamailio-proxy.js';
export { type KamailioPublisherOptions, launchKamailioPublisher } from './launch/kamailio-publisher.js';
export {
  type LaunchedMariadb,
  launchMariadb,
  type MariadbOptions,
  mariadbFromEnvironment,
  type TestDatabase,
} from './launch/mariadb.js';
export { type MissingPeers, missingPeers, type PeerName, peersReady } from './launch/peers.js';
export {
  type LaunchedPostgres,
  launchPostgres,
  type PostgresDatabase,
  type PostgresOptions,
  postgresFromEnvironment,
} from './launch/postgres.js';
export { PresenceServerProcess } from './launch/presence-server.js';
export {
  type CallReason,
  CallServer,
  type CallServerOptions,
  type CallState,
  type Field as PhoneField,
  Message as PhoneMessage,
  Phone,
  PhoneCall,
  type PhoneOptions,
  type RegisterOptions,
} from './phone/index.js';
export type { DigestOptions } from './server/digest-guard.js';
export type { Publication } from './server/event-state.js';
export { DatagramGate } from './server/gate.js';
export type { ExpiresLimits } from './server/limits.js';
export type { LoseRule, NotifyOptions, Sent } from './server/notify-sender.js';
export { DEFAULT_PACKAGES } from './server/packages.js';
export type { RequestRecord } from './server/record.js';
export type { AnswerRule, RequestMatch, Rule, ScriptHandle, Shape, ShapeRule } from './server/script.js';
export { PresenceServer, type PresenceServerOptions, type PresenceServerStats } from './server/server.js';
export {
  type ServerSettings,
  type SimulateOptions,
  type StartedServer,
  type StartOptions,
  simulatePresenceServer,
  startPresenceServer,
} from './server/start.js';
export type { NotifyRecord, ServerSubscription } from './server/subscription.js';
export { SimClock, type SimClockOptions, settle } from './sim/clock.js';
export { Ladder } from './sim/ladder.js';
export { type Datagram, type Fate, type Faults, type Link, SimNetwork } from './sim/network.js';
export { SimRandom } from './sim/random.js';
export {
  type Answer,
  type ClientRequest,
  type PublishOptions,
  ScriptedClient,
  type ScriptedClientOptions,
} from './sip/client.js';
export {
  answerChallenge,
  type Credentials,
  type DigestAlgorithm,
  type DigestInput,
  digestAlgorithm,
  digestResponse,
  parseDigest,
} from './sip/digest.js';
export {
  type Notification,
  type SubscribeOptions,
  Watcher,
  type WatcherOptions,
  type WatcherSubscription,
} from './watcher.js';

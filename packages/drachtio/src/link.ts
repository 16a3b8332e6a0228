/**
 * The TCP connection to drachtio-server: our own, or one of an Srf that was handed in.
 *
 *   connect ->
 *   authenticate ->        <- OK, addresses      up
 *   route|notify ->        <- OK
 *                          (closed)              down; drachtio-srf tries again, and then: up
 */
import type { Socket } from 'node:net';
import { PuaError } from '@pua/core';
import DrachtioSrf from 'drachtio-srf';
import type { ConnectOptions, Middleware, Srf } from './srf.js';

/** Longest wait for drachtio-server to let us in. */
const CONNECT_MS = 10_000;
/** Longest wait for it to close after us. */
const CLOSE_MS = 1_000;
/** drachtio-srf multiplies the wait between two tries by 1.7 for ever if nobody stops it. */
const RETRY_MAX_MS = 5_000;

export interface LinkEvents {
  /** `hostports` are the server's SIP addresses. */
  up(hostports: string): void;
  down(): void;
  readonly methods: readonly string[];
  readonly middleware: Middleware;
}

export interface Link {
  readonly srf: Srf;
  close(): Promise<void>;
}

const fault = (message: string, cause?: unknown) => new PuaError('PUA_ERR_LISTEN', message, { cause });

/** The socket that is up, with the addresses that came with it. */
function current(srf: Srf): { readonly socket: Socket; readonly hostports: string } | undefined {
  for (const [socket, { ready, hostport }] of srf.app.client?.mapServer ?? []) {
    if (ready) return { socket, hostports: hostport };
  }
  return undefined;
}

/** Tells of ups and downs from now on, until the function that comes back is called. */
function watch(srf: Srf, events: LinkEvents): () => void {
  let up = false;
  const onConnect = (error: Error | null | undefined, hostports: string) => {
    if (error) return;
    up = true;
    events.up(hostports);
  };
  // Also for connections that were never up.
  const onClose = () => {
    if (!up || current(srf)) return;
    up = false;
    events.down();
  };
  srf.on('connect', onConnect);
  srf.on('close', onClose);
  const there = current(srf);
  if (there) onConnect(null, there.hostports);
  return () => {
    srf.off('connect', onConnect);
    srf.off('close', onClose);
  };
}

/** @throws PuaError `PUA_ERR_LISTEN` (by rejection) when nobody is there, or does not let us in */
export async function connectLink(to: Omit<ConnectOptions, 'reconnect'>, events: LinkEvents): Promise<Link> {
  const srf = new DrachtioSrf() as unknown as Srf;
  const where = `drachtio-server at ${to.host}:${to.port}`;
  // drachtio-srf looks at this object each time: one attempt now, any number once we have been let in.
  const reconnect = { maxAttempts: 1, retryMaxDelay: RETRY_MAX_MS };
  for (const method of events.methods) srf.use(method, events.middleware);
  let unwatch: () => void = () => undefined;
  const link: Link = {
    srf,
    close: async () => {
      reconnect.maxAttempts = 1;
      unwatch();
      await hangUp(srf);
    },
  };
  try {
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        reject(fault(`${where} does not answer: is it the admin port (drachtio.conf.xml, <admin port=...>)?`));
      }, CONNECT_MS);
      srf.on('connect', (error: Error | null | undefined) => {
        clearTimeout(late);
        if (error)
          reject(fault(`${where} refuses the secret: use the one of its drachtio.conf.xml, <admin secret=...>`));
        else resolve();
      });
      // Without a listener an error would end the process; later ones are followed by another try.
      srf.on('error', (error: Error) => {
        clearTimeout(late);
        reject(fault(`cannot connect to ${where} (${error.message}): is it running, is it this port?`, error));
      });
      srf.on('close', () => {
        clearTimeout(late);
        reject(fault(`${where} closed the connection: is it the admin port (drachtio.conf.xml, <admin port=...>)?`));
      });
      srf.connect({ ...to, reconnect });
    });
  } catch (error) {
    await link.close();
    throw error;
  }
  reconnect.maxAttempts = 0;
  unwatch = watch(srf, events);
  return link;
}

/** Ends the connection and all tries to get it back, for which drachtio-srf has no call when it is down. */
async function hangUp({ app: { client } }: Srf): Promise<void> {
  if (!client) return;
  const { wp, mapServer } = client;
  wp.closing = true;
  if (wp.reconnectVars.retryTimer) clearTimeout(wp.reconnectVars.retryTimer);
  // One that is on its way.
  wp.on('connect', (socket) => socket.destroy());
  await Promise.all([...mapServer.keys()].map(ended));
}

function ended(socket: Socket): Promise<void> {
  return new Promise((done) => {
    const late = setTimeout(() => socket.destroy(), CLOSE_MS);
    socket.once('close', () => {
      clearTimeout(late);
      done();
    });
    socket.end();
  });
}

const installed = new WeakMap<Srf, Set<Middleware>>();

/** @throws PuaError `PUA_ERR_OPTION`; `PUA_ERR_LISTEN` (by rejection) when it is not connected, nor gets so */
export async function shareLink(srf: Srf, events: LinkEvents): Promise<Link> {
  if (srf.app.client?.isListening) {
    throw new PuaError('PUA_ERR_OPTION', 'srf waits for the server (listen); use one that connects to it');
  }
  // A handler can't be taken out of an Srf again: it stays, and passes everything on while we are stopped.
  const there = installed.get(srf) ?? new Set();
  installed.set(srf, there);
  if (!there.has(events.middleware)) {
    for (const method of events.methods) srf.use(method, events.middleware);
    there.add(events.middleware);
  }
  if (!current(srf)) {
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        srf.off('connect', onConnect);
        reject(
          fault('srf is not connected to drachtio-server: call its connect() before, and look at its error event'),
        );
      }, CONNECT_MS);
      const onConnect = (error: Error | null | undefined) => {
        if (error) return;
        clearTimeout(late);
        srf.off('connect', onConnect);
        resolve();
      };
      srf.on('connect', onConnect);
    });
  }
  if (current(srf)?.socket && 'encrypted' in current(srf)!.socket) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      'srf is connected with TLS: drachtio-srf comes back in plain text after a loss',
    );
  }
  const unwatch = watch(srf, events);
  return { srf, close: async () => unwatch() };
}

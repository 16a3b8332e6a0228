/** Our side: core, embedded engine, SQLite, mi. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPua, type PuaOptions } from '@pua/core';
import { mi } from '@pua/mi';
import { type EmbeddedSipOptions, embeddedSip } from '@pua/sip';
import { openStore } from '@pua/store';
import { call, post, publishing, type RpcAnswer } from './rpc';
import { Wire } from './wire';

export interface Client {
  readonly url: string;
  readonly wire: Wire;
  /** Documents of the NOTIFYs to `presence`, in their order, those without body as ''. */
  readonly notified: readonly string[];
  /** Transports by which NOTIFYs to `presence` came. */
  readonly notifiedBy: ReadonlySet<string>;
  /** @throws Error when the call fails */
  call(method: string, params: unknown): Promise<Readonly<Record<string, unknown>>>;
  post(method: string, params: unknown): Promise<RpcAnswer>;
  /** `pua.publish` with Kamailio's positional parameters. */
  publish(uri: string, expires: number, body?: string, id?: string): Promise<Readonly<Record<string, unknown>>>;
  stop(): Promise<void>;
}

export interface ClientOptions extends Partial<PuaOptions> {
  readonly outboundProxy: string;
  /** RFC 3261 T1, milliseconds. */
  readonly t1?: number;
  /** Default: UDP. The wire shows datagrams only. */
  readonly listen?: readonly string[];
  readonly tls?: EmbeddedSipOptions['tls'];
}

export async function startClient({ t1, listen, tls, ...options }: ClientOptions): Promise<Client> {
  const folder = mkdtempSync(join(tmpdir(), 'pua-kamailio-test-'));
  const wire = new Wire();
  const sip = embeddedSip({
    listen: listen ?? ['udp:127.0.0.1:0'],
    bindDatagram: wire.bind,
    ...(t1 ? { t1 } : {}),
    ...(tls ? { tls } : {}),
  });
  const pua = createPua({ sip, store: openStore(`sqlite:${join(folder, 'pua.db')}`), ...options });
  const module = mi({ listen: '127.0.0.1:0' });
  pua.use(module);
  const notified: string[] = [];
  const notifiedBy = new Set<string>();
  pua.onNotify('presence', (notification) => {
    notified.push(notification.text());
    notifiedBy.add(/^SIP\/2\.0\/(\w+)/.exec(notification.headers.get('Via') ?? '')?.[1] ?? '');
  });
  await pua.start();
  const { url } = module.address!;
  return {
    url,
    wire,
    notified,
    notifiedBy,
    call: (method, params) => call(url, method, params),
    post: (method, params) => post(url, method, params),
    publish: (uri, expires, body, id) => call(url, 'pua.publish', publishing(uri, expires, body, id)),
    stop: async () => {
      await pua.stop(0);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

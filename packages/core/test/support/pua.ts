/** A running Pua on the fake engine, with three events. */
import { subscribe } from 'node:diagnostics_channel';
import { createPua, type EventDefinition, type Pua, PuaError, type PuaOptions, type PuaResult } from '@pua/core';
import { settled } from './clock';
import { FakeSip, type Received } from './sip';

export const ALICE = 'sip:alice@example.com';
export const BOB = 'sip:bob@example.com';

/** Marks the document with the version and the id it is given; refuses what it is told to. */
export const presence: EventDefinition = {
  name: 'presence',
  flag: 1,
  contentType: 'application/pidf+xml',
  accept: 'application/pidf+xml, application/xpidf+xml',
  process: ({ body, version, tupleId, newId }) => {
    if (body === 'refuse') throw new PuaError('PUA_ERR_DOCUMENT', 'not a presence document');
    const id = tupleId ?? newId();
    return { body: `${body}/${version}/${id}`, tupleId: id };
  },
};
export const winfo: EventDefinition = { name: 'presence.winfo', flag: 2, aliases: ['presence;winfo'] };
export const sla: EventDefinition = { name: 'dialog;sla', flag: 4, contentType: 'application/dialog-info+xml' };

export interface Running {
  readonly pua: Pua;
  readonly sip: FakeSip;
}

export function make(options: Partial<PuaOptions> = {}): Running {
  const sip = (options.sip as FakeSip | undefined) ?? new FakeSip();
  const pua = createPua({ sip, updatePeriod: 0, ...options });
  for (const event of [presence, winfo, sla]) pua.addEvent(event);
  return { pua, sip };
}

export async function start(options: Partial<PuaOptions> = {}): Promise<Running> {
  const running = make(options);
  await running.pua.start();
  return running;
}

export const publication = { presUri: ALICE, event: 'presence', sourceFlag: 'RPC_PUBLISH', body: 'doc' } as const;
export const subscription = {
  presUri: ALICE,
  watcherUri: BOB,
  event: 'presence',
  sourceFlag: 'RPC_SUBSCRIBE',
} as const;

/** A handle's result if it has settled; undefined if it still waits. */
export async function outcome(handle: { result: Promise<PuaResult> }): Promise<PuaResult | undefined> {
  return Promise.race([handle.result, settled().then(() => undefined)]);
}

/** Opens a subscription; its dialog has the remote tag `remote`. */
export function establish({ pua, sip }: Running, more: object = {}) {
  const handle = pua.sendSubscribe({ ...subscription, ...more });
  const sent = sip.last;
  sent.reply(200, [
    ['Expires', '3600'],
    ['To', `<${ALICE}>;tag=remote`],
    ['Contact', '<sip:notifier@10.0.0.9>'],
  ]);
  const { callId, from } = sent.request;
  return { handle, callId, localTag: from.tag };
}

/** A NOTIFY in the dialog; `more` replaces headers, undefined leaves one out. */
export function notify(
  { sip }: Running,
  dialog: { callId: string; localTag: string },
  more: Record<string, string | undefined> = {},
  body?: { type: string; text: string },
): Received {
  const headers: Record<string, string | undefined> = {
    'Call-ID': dialog.callId,
    From: `<${ALICE}>;tag=remote`,
    To: `<${BOB}>;tag=${dialog.localTag}`,
    CSeq: '1 NOTIFY',
    Event: 'presence',
    Contact: '<sip:notifier@10.0.0.9>',
    'Subscription-State': 'active;expires=3600',
    ...more,
  };
  return sip.receive(
    'NOTIFY',
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
    body,
  );
}

/** What is published on a diagnostics channel from now on. */
export function listen(topic: string): { messages: Record<string, unknown>[] } {
  const heard = { messages: [] as Record<string, unknown>[] };
  subscribe(topic, (message) => void heard.messages.push(message as Record<string, unknown>));
  return heard;
}

/** Sources that lie, repeat themselves and mix up the order: no event breaks anything, and with the end every lamp goes out. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, type DialogEvent, type DialogEventKind, type DialogState } from '@pua/core';
import type { DialoginfoOptions } from '@pua/dialoginfo';
import * as fc from 'fast-check';
import { RANK } from '../dist/state.js';
import { Desk } from './support/desk';

const RUNS = Number(process.env['PUA_RUNS'] ?? 200);
const KINDS: DialogEventKind[] = [
  'created',
  'early',
  'confirmed',
  'updated',
  'failed',
  'terminated',
  'expired',
  'restored',
];
const KEYS = ['k1', 'k2'];
const CALL_IDS = ['c1', 'c2'];

const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 2 });
const bySide = <T>(of: fc.Arbitrary<T>) => fc.record({ caller: maybe(of), callee: maybe(of) });
const party = (uri: string) =>
  fc.record({
    uri: fc.constantFrom(uri, ''),
    tag: maybe(fc.constantFrom('', 't1', 't2', 't3')),
    contact: maybe(fc.constantFrom('', 'sip:x@192.0.2.1', 'no uri')),
    display: maybe(fc.constantFrom('', 'D "<&>\u0000')),
    callId: maybe(fc.constant('leg')),
    peerTag: maybe(fc.constant('p')),
  });
const reason = fc.record({
  event: maybe(fc.constantFrom('cancelled', 'bye', 'rejected', 'nonsense')),
  code: maybe(fc.constantFrom(0, 408, 486, 487, 999, 1.5)),
  by: maybe(fc.constantFrom('caller', 'callee', 'nobody')),
});
const dialog = fc.record({
  key: fc.constantFrom(...KEYS),
  callId: fc.constantFrom(...CALL_IDS),
  branch: maybe(fc.constantFrom('', '0', '1')),
  caller: party('sip:alice@example.com'),
  callee: party('sip:bob@example.com'),
  state: fc.constantFrom(...(Object.keys(RANK) as DialogState[])),
  reason: maybe(reason),
  startedAt: maybe(fc.constantFrom(0, Number.NaN, 1e15, 1_704_067_000_000)),
  lifetime: maybe(fc.constantFrom(0, -1, 5, 1e12, Number.NaN)),
  publish: maybe(bySide(fc.boolean())),
  mask: maybe(bySide(fc.constantFrom('sip:front@example.com', 'no uri', ''))),
  privacy: maybe(bySide(fc.constantFrom(['id'], ['none'], []))),
  flags: maybe(fc.nat(3)),
  referredBy: maybe(party('sip:carol@example.com')),
  replaces: maybe(fc.constant({ callId: 'x', localTag: '', remoteTag: '\u0000' })),
});
const event = fc.record({
  kind: fc.constantFrom(...KINDS),
  dialog,
  method: maybe(fc.constantFrom('INFO', 'INVITE', 'BYE')),
  flags: maybe(fc.nat(3)),
}) as fc.Arbitrary<unknown> as fc.Arbitrary<DialogEvent>;
const settings: fc.Arbitrary<DialoginfoOptions> = fc.record({
  aggregate: fc.constantFrom(0, 1),
  profile: fc.constantFrom('kamailio', 'opensips'),
  includeTags: fc.constantFrom(0, 1),
  callerConfirmed: fc.constantFrom(0, 1),
  disableCallerPublishFlag: fc.constantFrom(-1, 0),
  terminatedLifetime: fc.constantFrom(0, 10),
  calleeTrying: fc.constantFrom(0, 1),
});

/** States of a dialog in the order in which they were published, where they go back. */
function regressions({ sent }: Desk): string[] {
  const found: string[] = [];
  const states = new Map<string, string>();
  for (const { presUri, body = '' } of sent) {
    for (const [, id, state] of body.matchAll(/<dialog id="([^"]+)".*?<state[^>]*>(\w+)</g)) {
      const name = `${presUri} ${id}`;
      const before = states.get(name) ?? 'trying';
      if (RANK[state as DialogState] < RANK[before as DialogState]) found.push(`${name}: ${before}, then ${state}`);
      states.set(name, state!);
    }
  }
  return found;
}

test('no event breaks anything, states never go back, and with the end every lamp goes out', async () => {
  const faults: string[] = [];
  const listener = (message: unknown) => {
    const { where, error } = message as { where: string; error: Error };
    faults.push(`${where}: ${error.message}`);
  };
  subscribe(channels.fault.name as string, listener);
  const holds = async (options: DialoginfoOptions, events: readonly DialogEvent[], restartAfter: number) => {
    const desk = new Desk(options);
    await desk.start();
    for (const [index, one] of events.entries()) {
      if (index === restartAfter) await desk.restart();
      desk.source.emit(one);
    }
    const nobody = { caller: { uri: '' }, callee: { uri: '' }, state: 'terminated' } as const;
    for (const key of KEYS)
      for (const callId of CALL_IDS) desk.source.emit({ kind: 'terminated', dialog: { key, callId, ...nobody } });
    expect(desk.states.filter((state) => state !== 'terminated')).toEqual([]);
    await desk.clock.advanceAsync(65_000);
    expect(desk.states).toEqual([]);
    // What has ended is not known any more after a restart, and may be told anew.
    if (restartAfter >= events.length) expect(regressions(desk)).toEqual([]);
    expect(desk.module.stats()).toMatchObject({ calls: 0, publications: 0 });
    for (const key of KEYS) expect(desk.module.dialoginfoMuteBranch(key, '0')).toBe(-1);
    await desk.module.stop!();
    expect(desk.clock.pending).toBe(0);
    expect(faults).toEqual([]);
  };
  try {
    await fc.assert(fc.asyncProperty(settings, fc.array(event, { maxLength: 25 }), fc.nat(50), holds), {
      seed: 4235,
      numRuns: RUNS,
    });
  } finally {
    unsubscribe(channels.fault.name as string, listener);
  }
}, 60_000);

/** Random calls with a restart in the middle: what has not changed is not told again, and what was hidden stays so. */
import type { DialogEvent, DialogParty, DialogSnapshot, DialogState } from '@pua/core';
import type { DialoginfoOptions } from '@pua/dialoginfo';
import * as fc from 'fast-check';
import { Desk } from './support/desk';

const RUNS = Number(process.env['PUA_RUNS'] ?? 100);
const TIME_MS = 60_000;
const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@example.com';
/** Not of our domain. */
const FAR = 'sip:far@elsewhere.test';

const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 2 });
const sides = <A, B>(caller: fc.Arbitrary<A>, callee: fc.Arbitrary<B>) =>
  maybe(fc.record({ caller: maybe(caller), callee: maybe(callee) }));
const OFF_AND_ON = fc.constantFrom<0 | 1>(0, 1);
const MOSTLY_ON = fc.constantFrom<0 | 1>(0, 1, 1);

const settings = fc.record({
  aggregate: OFF_AND_ON,
  profile: fc.constantFrom('kamailio', 'opensips'),
  localDomains: fc.constantFrom(null, 'example.com'),
  includeTags: MOSTLY_ON,
  includeCallid: MOSTLY_ON,
  includeLocalremote: MOSTLY_ON,
  includeReqUri: OFF_AND_ON,
  callerConfirmed: OFF_AND_ON,
  calleeTrying: OFF_AND_ON,
  publishOnTrying: OFF_AND_ON,
  attributeDisplay: OFF_AND_ON,
  disableCallerPublishFlag: fc.constantFrom(-1, 0),
  disableCalleePublishFlag: fc.constantFrom(-1, 1),
  callerEntityWhenPublishDisabled: fc.constantFrom(null, 'sip:front@example.com'),
  calleeEntityWhenPublishDisabled: fc.constantFrom(null, 'sip:hunt@example.com'),
}) satisfies fc.Arbitrary<DialoginfoOptions>;

const FORKS: readonly { readonly branch?: string; readonly tag?: string }[][] = [
  [{}],
  [{ tag: 't1' }],
  [{ tag: 't1' }, { tag: 't2' }, { tag: 't3' }],
  [{ branch: '0' }, { branch: '1' }],
  [
    { branch: '0', tag: 't0' },
    { branch: '1', tag: 't1' },
    { branch: '1', tag: 't2' },
  ],
];
const scene = fc.record({
  caller: fc.record({
    uri: fc.constantFrom(ALICE, FAR),
    contact: maybe(fc.constant('sip:place@192.0.2.1')),
    display: maybe(fc.constant('Name of the caller')),
    tag: fc.constant('ta'),
    peerTag: maybe(fc.constant('pa')),
  }),
  callee: fc.record({
    uri: fc.constantFrom(BOB, FAR, ALICE),
    contact: maybe(fc.constant('sip:place@192.0.2.2')),
    display: maybe(fc.constant('Name of the callee')),
    callId: maybe(fc.constant('leg-b')),
    peerTag: maybe(fc.constant('pb')),
  }),
  forks: fc.constantFrom(...FORKS),
  state: fc.constantFrom<DialogState>('trying', 'proceeding', 'early', 'confirmed'),
  facts: fc.record({
    requestUri: maybe(fc.constantFrom('sip:2000@example.com', BOB)),
    publish: sides(fc.boolean(), fc.boolean()),
    publishUris: sides(
      fc.constantFrom([], ['sip:l1@example.com', 'sip:l2@example.com']),
      fc.constantFrom([], ['sip:l1@example.com']),
    ),
    mask: sides(fc.constant('sip:mask@example.com'), fc.constant('sip:mask@example.com')),
    privacy: sides(fc.constant(['id']), fc.constant(['user'])),
    flags: maybe(fc.nat(3)),
    referredBy: maybe(fc.constant({ uri: 'sip:carol@example.com' })),
    replaces: maybe(fc.constant({ callId: 'x', localTag: 'y', remoteTag: 'z' })),
    startedAt: maybe(fc.constant(Date.UTC(2023, 11, 31))),
  }),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

/** Without what is undefined. */
const clean = <T>(value: object): T => JSON.parse(JSON.stringify(value));

/** All dialogs of the call. */
function snapshots({ caller, callee, forks, state, facts }: Scene): DialogSnapshot[] {
  const known = state === 'confirmed' ? forks.slice(0, 1) : forks;
  const named = state === 'trying' ? [{}] : state === 'proceeding' ? [{ branch: forks[0]!.branch }] : known;
  return named.map((fork: { branch?: string | undefined; tag?: string }) => {
    const { branch, tag } = fork;
    return clean({ key: 'k', callId: 'c', branch, caller, callee: { ...callee, tag }, state, ...facts });
  });
}

async function begin(options: DialoginfoOptions, one: Scene) {
  const desk = new Desk(clean(options));
  await desk.start();
  const all = snapshots(one);
  const kind = one.state === 'confirmed' ? 'confirmed' : 'early';
  const callee: DialogParty = one.state === 'trying' ? all[0]!.callee : { uri: one.callee.uri };
  const { branch: _, ...first } = { ...all[0]!, callee, state: 'trying' } as const;
  desk.source.emit({ kind: 'created', dialog: first });
  if (one.state !== 'trying') for (const dialog of all) desk.source.emit({ kind, dialog });
  await desk.settle();
  const { sent } = desk;
  const told = sent.length;
  return {
    desk,
    all,
    documents: desk.documents,
    told: () => sent.slice(told).filter(({ body }) => body !== undefined),
  };
}

test(
  'calls that the source still names: not a single document',
  async () => {
    const holds = async (options: DialoginfoOptions, one: Scene) => {
      const { desk, all, documents, told } = await begin(options, one);
      desk.source.calls = new Map(all.map((dialog, i) => [String(i), dialog]));
      await desk.restart();
      expect(told()).toEqual([]);
      expect(desk.documents).toEqual(documents);
      expect(leaks(desk, options, one)).toEqual([]);
      await desk.module.stop!();
    };
    await fc.assert(fc.asyncProperty(settings, scene, holds), { seed: 4235, numRuns: RUNS });
  },
  TIME_MS,
);

/** An event that says no more than what it is about. */
function bare({ key, callId, branch, caller, callee, state, requestUri }: DialogSnapshot): DialogEvent {
  const where = ({ uri, callId, tag, peerTag }: DialogParty) => ({ uri, callId, tag, peerTag });
  const parties = { caller: where(caller), callee: where(callee) };
  return clean({ kind: 'updated', dialog: { key, callId, branch, state, requestUri, ...parties } });
}

test(
  'calls whose next events say nothing of who may see what: all stays as it was',
  async () => {
    const holds = async (options: DialoginfoOptions, one: Scene) => {
      const { desk, all, documents } = await begin(options, one);
      // Of a call without documents nothing is known after a restart; nor who is to be hidden, as long as nobody rings.
      fc.pre(documents.size > 0 && (one.state === 'early' || one.state === 'confirmed'));
      await desk.restart();
      for (const dialog of all) desk.source.emit(bare(dialog));
      await desk.settle();
      // How long it has been going on is known to the source only.
      expect(withoutDuration(desk.documents)).toEqual(withoutDuration(documents));
      expect(leaks(desk, options, one)).toEqual([]);
      await desk.module.stop!();
    };
    await fc.assert(fc.asyncProperty(settings, scene, holds), { seed: 3903, numRuns: RUNS });
  },
  TIME_MS,
);

const withoutDuration = (documents: Desk['documents']) =>
  [...documents].map(([name, { dialogs, ...rest }]) => [
    name,
    { ...rest, dialogs: dialogs.map(({ duration: _, ...dialog }) => dialog) },
  ]);

/** The Contact of a side that is hidden, or who it is behind its mask, in what was published for the other one. */
function leaks(desk: Desk, options: DialoginfoOptions, { facts }: Scene): string[] {
  const found: string[] = [];
  for (const side of ['caller', 'callee'] as const) {
    const { publish, mask, privacy, flags = 0 } = facts;
    const flag = side === 'caller' ? options.disableCallerPublishFlag! : options.disableCalleePublishFlag!;
    const masked = mask?.[side] !== undefined || privacy?.[side] !== undefined;
    const published = publish?.[side] ?? (flag < 0 || (flags & (1 << flag)) === 0);
    if (published && !masked) continue;
    const secret = masked ? /place|Name|alice|bob|far/ : /place/;
    for (const { body = '' } of desk.sent) {
      for (const [dialog, direction] of body.matchAll(/<dialog [^>]*direction="(\w+)">.*?<\/dialog>/gs)) {
        const remote = /<remote>.*<\/remote>/s.exec(dialog)?.[0] ?? '';
        if ((direction === 'initiator') === (side === 'callee') && secret.test(remote)) found.push(remote);
      }
    }
  }
  return found;
}

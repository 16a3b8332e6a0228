/** Random calls over a bad network: whatever happens, no lamp stays on and none comes back. */
import type { DialogEvent, DialogEventKind, DialogSnapshot, DialogState } from '@pua/core';
import * as fc from 'fast-check';
import { RANK } from '../dist/state.js';
import { FakeSource } from './support/source';
import { userOf, World } from './support/world';

/** In one world at a time. */
const CALLS = 100;
const USERS = 6;
const TIME_MS = 120_000;

type Step = readonly [DialogEventKind, Partial<DialogSnapshot>?, Partial<DialogEvent>?];

interface Plan {
  readonly from: number;
  readonly to: number;
  readonly startMs: number;
  /** Before each step, used in turn. */
  readonly gapsMs: readonly number[];
  readonly steps: readonly Step[];
}

const tag = (name: string, uri = '') => ({ callee: { uri, tag: name, contact: `sip:${name}@192.0.2.2` } });
const bye = (by: 'caller' | 'callee'): Step => ['terminated', { reason: { event: 'bye', by } }];
const refused = (code: number, more: Partial<DialogSnapshot> = {}): Step => ['failed', { reason: { code }, ...more }];

const STORIES: Record<string, readonly Step[]> = {
  answered: [['created'], ['early', tag('t1')], ['confirmed', tag('t1')], bye('callee')],
  'at once': [['created'], ['confirmed', tag('t1')], bye('caller')],
  updated: [
    ['created'],
    ['early', { state: 'proceeding' }],
    ['early', tag('t1')],
    ['early', tag('t1')],
    ['updated', { ...tag('t1'), state: 'early' }, { method: 'INFO' }],
    ['confirmed', tag('t1')],
    ['updated', { ...tag('t1'), lifetime: 1800 }, { method: 'UPDATE' }],
    ['updated', tag('t2')],
    ['expired'],
  ],
  'over, and nobody says so': [['created'], ['early', tag('t1')], ['confirmed', tag('t1')]],
  cancelled: [['created'], ['early', tag('t1')], refused(487)],
  rejected: [['created'], refused(486)],
  forked: [
    ['created'],
    ['early', tag('t1')],
    ['early', tag('t2')],
    ['early', tag('t1')],
    ['early', tag('t3')],
    ['confirmed', tag('t2')],
    ['early', tag('t3')],
    bye('caller'),
  ],
  'forked, cancelled': [
    ['created'],
    ['early', tag('t1')],
    ['early', tag('t2')],
    ['early', tag('t3')],
    refused(487, tag('t2')),
  ],
  'two answers': [
    ['created'],
    ['confirmed', tag('t1')],
    ['confirmed', tag('t2')],
    bye('caller'),
    ['terminated', tag('t2')],
  ],
  branches: [
    ['created'],
    ['early', { branch: '0' }],
    ['early', { branch: '1', ...tag('t1') }],
    refused(486, { branch: '0' }),
    ['confirmed', { branch: '1', ...tag('t1') }],
    refused(487, { branch: '0' }),
    bye('callee'),
  ],
  'one after the other': [
    ['created'],
    refused(480, { branch: '0' }),
    ['early', { branch: '1' }],
    refused(486, { branch: '1' }),
    refused(486),
  ],
  'out of order': [
    ['confirmed', tag('t1')],
    ['early', tag('t1')],
    bye('caller'),
    ['created'],
    ['early', tag('t1')],
    ['confirmed'],
  ],
  'end first': [bye('caller'), ['early', tag('t1')], ['created']],
};

const plan: fc.Arbitrary<Plan> = fc.record({
  from: fc.nat(USERS - 1),
  to: fc.nat(USERS - 1),
  startMs: fc.integer({ min: 0, max: 60_000 }),
  gapsMs: fc.array(
    fc.oneof(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 8_000 })),
    {
      minLength: 1,
      maxLength: 6,
    },
  ),
  steps: fc.constantFrom(...Object.values(STORIES)),
});
const plans = fc.array(plan, { minLength: CALLS, maxLength: CALLS });
/** When ours is restarted, ms; events of the past come only to a process that remembers. */
const restarts = fc.array(fc.integer({ min: 1_000, max: 70_000 }), { minLength: 1, maxLength: 3 });

interface Deed {
  readonly at: number;
  readonly run: () => void | Promise<void>;
}

function deedsOf(world: World, all: readonly Plan[]): Deed[] {
  const deeds: Deed[] = [];
  for (const [index, { from, to, startMs, gapsMs, steps }] of all.entries()) {
    const callee = `sip:u${to}@example.com`;
    const common = {
      key: `k${index}`,
      callId: `c${index}"<&>@example.com`,
      caller: { uri: `sip:u${from}@example.com`, tag: `a${index}` },
      startedAt: world.clock.wall() + startMs,
    };
    let at = startMs;
    for (const [step, [kind, dialog = {}, more]] of steps.entries()) {
      at += gapsMs[step % gapsMs.length]!;
      const state = dialog.state ?? (kind === 'created' ? 'trying' : kind === 'early' ? 'early' : 'confirmed');
      const ends = kind === 'failed' || kind === 'terminated' || kind === 'expired';
      const snapshot: DialogSnapshot = {
        ...common,
        ...dialog,
        state: ends ? 'terminated' : state,
        callee: { ...dialog.callee, uri: callee },
      };
      const last = step === steps.length - 1;
      const run = () => {
        if (!last && !ends) world.source.calls!.set(snapshot.key, snapshot);
        else world.source.calls!.delete(snapshot.key);
        world.source.emit({ kind, dialog: snapshot, ...more });
      };
      deeds.push({ at, run });
    }
  }
  return deeds;
}

async function play(world: World, deeds: readonly Deed[]): Promise<void> {
  for (const { at, run } of [...deeds].sort((a, b) => a.at - b.at)) {
    await world.clock.advanceToAsync(at);
    await run();
  }
  // The longest lifetime that a lost answer may have left behind.
  world.network.setFaults({});
  await world.advance(400_000);
}

/** What the server received never went back. */
function faultsOf(world: World, aggregate: number): string[] {
  const faults: string[] = [];
  const states = new Map<string, string>();
  const versions = new Map<string, number>();
  const bodies = new Map<string, string>();
  for (const { uri, initial, body } of world.published) {
    if (body === '') continue;
    const version = Number(/ version="(\d+)"/.exec(body)![1]);
    const dialogs = [...body.matchAll(/<dialog id="([^"]+)".*?<state[^>]*>(\w+)</g)];
    for (const [, id, state] of dialogs) {
      const key = `${userOf(uri)} ${id}`;
      const before = (states.get(key) ?? 'trying') as DialogState;
      if (RANK[state as DialogState] < RANK[before]) faults.push(`${key}: ${before}, then ${state}`);
      states.set(key, state!);
    }
    const record = aggregate === 1 ? userOf(uri) : `${userOf(uri)} ${dialogs[0]![1]}`;
    const before = initial ? -1 : versions.get(record)!;
    // After a restart the very same document may go out once more.
    const again = version === before && body === bodies.get(record);
    if (version <= before && !again) faults.push(`${record}: version ${before}, then ${version}`);
    versions.set(record, version);
    bodies.set(record, body);
  }
  const lamps = JSON.stringify(world.lamps());
  if (lamps !== '{}') faults.push(`lamps: ${lamps}`);
  const { calls, publications } = world.module.stats();
  if (calls + publications + world.rows.size > 0)
    faults.push(`left behind: ${calls} calls, ${publications} publications, ${world.rows.size} rows`);
  return faults;
}

const FAULTS = { loss: 0.1, delay: [0, 300], duplicate: 0.05 } as const;

async function run(
  seed: number,
  all: readonly Plan[],
  { aggregate, profile }: { readonly aggregate: number; readonly profile: 'kamailio' | 'opensips' },
  restartsMs: readonly number[],
): Promise<void> {
  const dialoginfo = {
    aggregate,
    profile,
    heartbeatInterval: 5,
    heartbeatGrace: 10,
    calleeTrying: 1,
    publishOnTrying: 1,
  };
  const world = await World.start({ seed, source: new FakeSource([]), dialoginfo });
  world.network.setFaults(FAULTS);
  const again = async () => {
    await world.stopPua();
    await world.startPua();
  };
  await play(world, [...deedsOf(world, all), ...restartsMs.map((at) => ({ at, run: again }))]);
  const faults = faultsOf(world, aggregate);
  await world.stop();
  expect(faults).toEqual([]);
}

const restarted = fc
  .tuple(plans, restarts)
  .map(([all, times]) => [all.map((one) => ({ ...one, steps: inOrder(one.steps) })), times] as const);
const undisturbed = plans.map((all) => [all, []] as const);

/** Hundreds of calls; `lamps` of packages/tests has a thousand more, with kills. */
test.each([
  ['one publication per dialog', { aggregate: 0, profile: 'kamailio' }, undisturbed, 2],
  ['with restarts', { aggregate: 0, profile: 'kamailio' }, restarted, 1],
  ['profile opensips', { aggregate: 0, profile: 'opensips' }, undisturbed, 1],
  ['one per presentity', { aggregate: 1, profile: 'kamailio' }, undisturbed, 1],
  ['one per presentity, with restarts', { aggregate: 1, profile: 'kamailio' }, restarted, 1],
] as const)(
  'random calls leave no lamp on, and no dialog comes back: %s',
  async (_, options, calls, numRuns) => {
    const property = fc.asyncProperty(fc.nat(), calls, (seed, [all, times]) => run(seed, all, options, times));
    await fc.assert(property, { seed: 4235, numRuns, endOnFailure: true });
  },
  TIME_MS,
);

/** What a source tells that keeps the order of each call: a process that starts anew remembers nothing of an end. */
function inOrder(steps: readonly Step[]): readonly Step[] {
  const wrong = [STORIES['out of order'], STORIES['end first']];
  return wrong.includes(steps) ? STORIES['answered']! : steps;
}

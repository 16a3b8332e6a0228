import type { RowSource } from '@pua/core';
import fc from 'fast-check';
import { WriteBehind, type WriteBehindSettings } from '../dist/write-behind.js';
import { SimClock, settle } from './sim-clock';

const DELAY = 50;
const RETRY = [100, 800] as const;

type Make = (settings: WriteBehindSettings) => WriteBehind;
const real: Make = (settings) => new WriteBehind(settings);

/** How the fake database answers one group. */
interface Answer {
  readonly ms: number;
  readonly fails: boolean;
}

interface Version {
  readonly number: number;
  readonly gone: boolean;
}

/** A fake database with the promises of write-behind as assertions. */
class Bench {
  readonly clock = new SimClock();
  readonly disk = new Map<string, Version>();
  readonly history: { key: string; gone: boolean; at: number }[] = [];
  readonly groups: { at: number; keys: string[] }[] = [];
  readonly newest = new Map<string, Version>();
  readonly behind: WriteBehind;
  /** Time since which each record waits. */
  private readonly waits = new Map<string, number>();
  private inFlight = false;
  private freeAt = 0;
  private paused = 0;
  private marked = 0;
  private broken: unknown = null;
  asked = 0;

  constructor(
    make: Make,
    private readonly answers: Answer[],
    private readonly limits: { startAt: number; groupMax: number },
  ) {
    this.behind = make({
      clock: this.clock,
      delayMs: DELAY,
      retryMs: RETRY,
      ...limits,
      write: (sources) => this.write(sources),
      onCommitted: (durable) => this.check(() => this.verify(durable)),
      onFailed: (_error, pause) => {
        this.paused = pause;
      },
    });
    this.behind.start();
  }

  /** Kept until the end: inside the write-behind it would look like a database that fails. */
  check(assertion: () => void): void {
    try {
      assertion();
    } catch (error) {
      this.broken ??= error;
    }
  }

  private source(key: string): RowSource {
    return {
      key,
      row: () => {
        this.asked++;
        return null;
      },
    };
  }

  change(key: string, gone: boolean): void {
    if (!this.waits.has(key)) this.waits.set(key, this.clock.now());
    const number = this.behind.changed(this.source(key));
    this.history.push({ key, gone, at: this.clock.now() });
    expect(number).toBe(this.history.length);
    this.newest.set(key, { number, gone });
  }

  private async write(sources: readonly RowSource[]): Promise<null> {
    const keys = sources.map((source) => source.key);
    this.check(() => {
      expect(this.inFlight).toBe(false);
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.length).toBeLessThanOrEqual(this.limits.groupMax);
      this.promptly(keys);
    });
    this.inFlight = true;
    const packed = new Map(sources.map((source) => [source.key, this.newest.get(source.key)!]));
    for (const source of sources) source.row();
    const since = new Map(keys.map((key) => [key, this.waits.get(key)]));
    for (const key of keys) this.waits.delete(key);
    this.groups.push({ at: this.clock.now(), keys });
    const { ms, fails } = this.answers.shift() ?? { ms: 1, fails: false };
    await new Promise<void>((resolve) => this.clock.after(ms, resolve));
    this.inFlight = false;
    this.freeAt = this.clock.now();
    this.paused = 0;
    if (fails) {
      for (const [key, at] of since) if (at !== undefined) this.waits.set(key, at);
      throw new Error('disk full');
    }
    for (const [key, version] of packed) this.disk.set(key, version);
    return null;
  }

  /** The group starts when its oldest change is DELAY old, or when the database is free again, whichever is later. */
  private promptly(keys: readonly string[]): void {
    const oldest = Math.min(...keys.map((key) => this.waits.get(key) ?? Number.POSITIVE_INFINITY));
    expect(this.clock.now()).toBeLessThanOrEqual(Math.max(oldest + DELAY, this.freeAt + this.paused));
  }

  /** What the durable mark claims is on disk. */
  private verify(durable: number): void {
    expect(durable).toBeGreaterThanOrEqual(this.marked);
    this.marked = durable;
    const claimed = new Map<string, number>();
    for (let i = 0; i < durable; i++) claimed.set(this.history[i]!.key, i + 1);
    for (const [key, number] of claimed) expect(this.disk.get(key)?.number ?? 0).toBeGreaterThanOrEqual(number);
  }

  async finish(): Promise<void> {
    for (let i = 0; i < 1000 && !this.clock.idle; i++) await this.clock.advance(1000);
    if (this.broken !== null) throw this.broken;
    expect(this.clock.idle).toBe(true);
    expect(this.disk).toEqual(this.newest);
    expect(this.behind.status()).toEqual({
      durable: this.history.length,
      last: this.history.length,
      pending: 0,
      error: null,
    });
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ key: fc.integer({ min: 0, max: 7 }).map(String), gone: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ advance: fc.integer({ min: 0, max: 120 }) }) },
  { weight: 1, arbitrary: fc.constant({ flush: true }) },
);
const answer = fc.record({ ms: fc.integer({ min: 0, max: 200 }), fails: fc.boolean() });
const plan = fc.record({
  steps: fc.array(step, { maxLength: 60 }),
  answers: fc.array(answer, { maxLength: 12 }),
  limits: fc.record({ startAt: fc.integer({ min: 1, max: 8 }), groupMax: fc.integer({ min: 1, max: 8 }) }),
});

const keepsItsPromises = (make: Make) =>
  fc.asyncProperty(plan, async ({ steps, answers, limits }) => {
    const bench = new Bench(make, [...answers], limits);
    const flushes: Promise<void>[] = [];
    for (const one of steps) {
      if ('key' in one) bench.change(one.key, one.gone);
      else if ('advance' in one) await bench.clock.advance(one.advance);
      else {
        const upTo = bench.history.length;
        const reached = () => expect(bench.behind.status().durable).toBeGreaterThanOrEqual(upTo);
        flushes.push(bench.behind.flush().then(() => bench.check(reached)));
      }
    }
    await bench.finish();
    await Promise.all(flushes);
  });

/** Methods that TypeScript hides and a mutant replaces. */
interface Insides {
  last: number;
  group: unknown[];
  settings: WriteBehindSettings;
  committed(mark: number, began: number, left: Error | null): void;
  failed(error: Error): void;
  schedule(): void;
  pack(): unknown[];
}

function mutant(change: (insides: Insides) => Partial<Insides>): Make {
  return (settings) => {
    const behind = new WriteBehind(settings);
    const insides = behind as unknown as Insides;
    return Object.assign(behind, change(insides));
  };
}

const MUTANTS: Record<string, Make> = {
  'claims changes that came during the write': mutant((insides) => {
    const committed = insides.committed.bind(insides);
    return { committed: (_mark, began, left) => committed(insides.last, began, left) };
  }),
  'forgets a group that failed': mutant((insides) => {
    const failed = insides.failed.bind(insides);
    return {
      failed: (error) => {
        insides.group = [];
        failed(error);
      },
    };
  }),
  'repeats only a part of a group that failed': mutant((insides) => {
    const pack = insides.pack.bind(insides);
    return { pack: () => (insides.group.length === 0 ? pack() : insides.group.slice(0, 1)) };
  }),
  'ignores the delay': mutant((insides) => {
    const { settings } = insides;
    insides.settings = { ...settings, delayMs: settings.delayMs * 3 };
    return {};
  }),
};

describe('write-behind', () => {
  test('random changes, delays and failures: nothing is lost, claimed too early, written twice or late', async () => {
    await fc.assert(keepsItsPromises(real), { numRuns: 300 });
  });

  test.each(Object.entries(MUTANTS))('the property catches one that %s', async (_name, make) => {
    const { failed } = await fc.check(keepsItsPromises(make), { numRuns: 300, endOnFailure: true });
    expect(failed).toBe(true);
  });

  const limits = { startAt: 4, groupMax: 10 };

  test('changes of one record within the delay are asked for and written once', async () => {
    const bench = new Bench(real, [], limits);
    for (let i = 0; i < 100; i++) bench.change('a', false);
    bench.change('b', false);
    await bench.clock.advance(DELAY - 1);
    expect(bench.groups).toEqual([]);
    await bench.clock.advance(1);
    expect(bench.groups).toEqual([{ at: DELAY, keys: ['a', 'b'] }]);
    expect(bench.asked).toBe(2);
    await bench.finish();
  });

  test('a big group starts at once, but not within the call that completes it', async () => {
    const bench = new Bench(real, [], limits);
    for (const key of 'abcd') bench.change(key, false);
    expect(bench.groups).toEqual([]);
    await bench.clock.advance(0);
    expect(bench.groups).toEqual([{ at: 0, keys: ['a', 'b', 'c', 'd'] }]);
    await bench.finish();
  });

  test('the mark stops before the oldest change that is not in the group', async () => {
    const bench = new Bench(real, [{ ms: 10, fails: false }], { startAt: 1, groupMax: 2 });
    for (const key of 'abc') bench.change(key, false);
    bench.change('a', false);
    await bench.clock.advance(10);
    // a and b are on disk, but change 3 (c) is not; change 4 (a) is, and may not be claimed.
    expect(bench.behind.status()).toMatchObject({ durable: 2, last: 4, pending: 1 });
    await bench.finish();
  });

  test('a failure is reported, repeated with growing pauses, forgotten after a success', async () => {
    const answers = [1, 2, 3, 4, 5].map(() => ({ ms: 0, fails: true }));
    const bench = new Bench(real, answers, limits);
    bench.change('a', false);
    await bench.clock.advance(DELAY);
    expect(bench.behind.status()).toMatchObject({ durable: 0, pending: 1, error: new Error('disk full') });
    await bench.clock.advance(100 + 200 + 400 + 800 + 800 + 1);
    expect(bench.groups.map((group) => group.at)).toEqual([50, 150, 350, 750, 1550, 2350]);
    expect(bench.behind.status()).toMatchObject({ durable: 1, pending: 0, error: null });
  });

  test('flush does not wait for the delay; after stop() it tells why it never resolves', async () => {
    const bench = new Bench(real, [{ ms: 5, fails: false }], limits);
    bench.change('a', false);
    const flushed = bench.behind.flush();
    await bench.clock.advance(5);
    await flushed;
    bench.change('b', false);
    const never = bench.behind.flush();
    bench.behind.stop(new Error('gone'));
    await expect(never).rejects.toThrow('gone');
    expect(bench.behind.changed({ key: 'c', row: () => null })).toBe(3);
    await expect(bench.behind.flush()).rejects.toThrow('gone');
    await settle();
    expect(bench.clock.idle).toBe(true);
  });

  test('memory is bounded by records, not by changes', async () => {
    const bench = new Bench(real, [{ ms: 1e6, fails: false }], limits);
    for (let i = 0; i < 10_000; i++) {
      bench.change(String(i % 5), false);
      if (i === 100) await bench.clock.advance(DELAY);
    }
    expect(bench.behind.status().pending).toBe(10);
  });
});

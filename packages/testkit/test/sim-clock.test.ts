import { SimClock, SimRandom, settle } from '@pua/testkit';

describe('SimClock', () => {
  test('runs timers in the order of their deadlines, equal ones in the order in which they were set', () => {
    const clock = new SimClock();
    const seen: string[] = [];
    const at = (ms: number, name: string) => clock.after(ms, () => seen.push(`${name}@${clock.now()}`));
    at(20, 'b');
    at(10, 'a');
    at(20, 'c');
    at(30, 'd');
    clock.advance(20);
    expect(seen).toEqual(['a@10', 'b@20', 'c@20']);
    expect([clock.now(), clock.pending, clock.nextAt]).toEqual([20, 1, 30]);
  });

  test('a timer that is set while timers run takes part', () => {
    const clock = new SimClock();
    const seen: number[] = [];
    const again = (): void => {
      seen.push(clock.now());
      if (seen.length < 4) clock.after(10, again);
    };
    clock.after(10, again);
    clock.advance(35);
    expect(seen).toEqual([10, 20, 30]);
    expect(clock.now()).toBe(35);
  });

  test('a cancelled timer does not run, and cancelling twice or too late changes nothing', () => {
    const clock = new SimClock();
    const run = jest.fn();
    const timer = clock.after(5, run);
    const late = clock.after(1, () => timer.cancel());
    clock.after(9, () => undefined);
    clock.advance(3);
    timer.cancel();
    late.cancel();
    expect(clock.pending).toBe(1);
    clock.advance(10);
    expect(run).not.toHaveBeenCalled();
  });

  test('negative and meaningless delays are due at once, time never runs backwards', () => {
    const clock = new SimClock({ now: 100 });
    const seen: number[] = [];
    for (const ms of [-5, Number.NaN, 0]) clock.after(ms, () => seen.push(clock.now()));
    clock.advanceTo(50);
    expect([clock.now(), seen]).toEqual([100, []]);
    clock.advance(0);
    expect(seen).toEqual([100, 100, 100]);
  });

  test('wall time follows and can jump alone', () => {
    const clock = new SimClock({ wall: 1_000_000 });
    const run = jest.fn();
    clock.after(1000, run);
    clock.jumpWall(-500_000);
    clock.jumpWall(3_600_000);
    expect(run).not.toHaveBeenCalled();
    clock.advance(1000);
    expect(run).toHaveBeenCalledTimes(1);
    expect(clock.wall()).toBe(1_000_000 + 3_100_000 + 1000);
  });

  test('advance leaves promises alone, advanceAsync lets them settle between points of time', async () => {
    const chain = (clock: SimClock, seen: number[]) =>
      clock.after(10, () => {
        void Promise.resolve()
          .then(() => settle())
          .then(() => clock.after(10, () => seen.push(clock.now())));
      });
    const [plain, plainSeen] = [new SimClock(), [] as number[]];
    chain(plain, plainSeen);
    plain.advance(100);
    expect(plainSeen).toEqual([]);

    const [patient, seen] = [new SimClock(), [] as number[]];
    patient.after(0, () => {
      void Promise.resolve().then(() => patient.after(10, () => seen.push(patient.now())));
    });
    await patient.advanceAsync(100);
    expect(seen).toEqual([10]);
    expect(patient.now()).toBe(100);
  });

  test('runUntil stops at the timer that makes it true, and fails at its limit', async () => {
    const clock = new SimClock();
    let count = 0;
    const again = (): void => {
      count++;
      clock.after(100, again);
    };
    clock.after(100, again);
    await expect(clock.runUntil(() => count === 3, 1000)).resolves.toBe(300);
    expect(clock.now()).toBe(300);
    await expect(clock.runUntil(() => false, 450)).rejects.toThrow(
      'not true within 450 ms of simulated time (1 timers pending)',
    );
    expect([clock.now(), count]).toEqual([750, 7]);
  });

  test('being advanced from two places is refused', async () => {
    const clock = new SimClock();
    clock.after(1, () => clock.advance(1));
    expect(() => clock.advance(5)).toThrow('never advance it from a timer');
    const first = clock.advanceAsync(5);
    expect(() => clock.advance(5)).toThrow('await the first call');
    await first;
    clock.advance(5);
    expect(clock.now()).toBe(11);
  });

  test('300 000 timers, half of them cancelled in any order, leave nothing', () => {
    const clock = new SimClock();
    const random = new SimRandom(1);
    let last = 0;
    let run = 0;
    let disorder = 0;
    const timers = Array.from({ length: 300_000 }, () =>
      clock.after(random.int(1_000_000), () => {
        if (clock.now() < last) disorder++;
        last = clock.now();
        run++;
      }),
    );
    for (const [index, timer] of timers.entries()) if (index % 2 === 0) timer.cancel();
    expect(clock.pending).toBe(150_000);
    clock.advance(1_000_000);
    expect([run, disorder, clock.pending]).toEqual([150_000, 0, 0]);
  });
});

describe('SimRandom', () => {
  const draw = (seed: number | string) => {
    const random = new SimRandom(seed);
    return [random.uniform(), random.token(), random.int(1000)];
  };

  test('the same seed gives the same sequence, another one another', () => {
    expect(draw(7)).toEqual(draw(7));
    expect(draw('seven')).toEqual(draw('seven'));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw('seven')).not.toEqual(draw('eight'));
  });

  test('uniform is spread evenly over [0, 1)', () => {
    const random = new SimRandom(3);
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) buckets[Math.floor(random.uniform() * 10)]!++;
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  test('tokens have 80 bits of letters and digits and do not repeat', () => {
    const random = new SimRandom(4);
    const tokens = new Set(Array.from({ length: 10_000 }, () => random.token()));
    expect(tokens.size).toBe(10_000);
    for (const token of tokens) expect(token).toMatch(/^[0-9A-Za-z]{14,}$/);
  });

  test('pick takes one of the items and refuses an empty list', () => {
    const random = new SimRandom(5);
    expect(new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b'])))).toEqual(new Set(['a', 'b']));
    expect(() => random.pick([])).toThrow(RangeError);
  });
});

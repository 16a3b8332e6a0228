import { SimClock, settle } from '@pua/testkit';
import { WriteBehind } from '../../dist/location/write-behind.js';

interface Group {
  readonly put: string[];
  readonly remove: string[];
  done(error?: Error): Promise<void>;
}

function make() {
  const clock = new SimClock();
  const groups: Group[] = [];
  const failures: unknown[] = [];
  const behind = new WriteBehind(clock, {
    write: (put, remove) =>
      new Promise((resolve, reject) => {
        groups.push({
          put: put.map(({ key, binding }) => `${key}=${binding.contact}`),
          remove: [...remove],
          done: async (error) => {
            if (error) reject(error);
            else resolve();
            await settle();
          },
        });
      }),
    failed: (error) => void failures.push(error),
  });
  const put = (key: string, contact: string, isNew = false) =>
    behind.changed({ key, binding: { aor: 'a', contact, expiresAt: 0 } }, isNew);
  return { clock, behind, groups, failures, put };
}

const shown = ({ put, remove }: Group) => ({ put, remove });

test('one group after 50 ms, in the newest state', async () => {
  const { clock, behind, groups, put } = make();
  put('a', '1', true);
  clock.advance(49);
  put('b', '1', true);
  put('a', '2');
  expect(groups).toEqual([]);
  clock.advance(1);
  expect(groups.map(shown)).toEqual([{ put: ['a=2', 'b=1'], remove: [] }]);
  await groups[0]!.done();
  expect(behind.pending).toBe(0);
  expect(clock.pending).toBe(0);
});

test('what came and went is never written', async () => {
  const { clock, behind, groups, put } = make();
  put('a', '1', true);
  behind.removed('a');
  clock.advance(50);
  expect(groups).toEqual([]);
  expect(behind.pending).toBe(0);
  expect(clock.pending).toBe(0);
});

test('what the database may have is removed there', async () => {
  const { clock, behind, groups, put } = make();
  put('a', '1', true);
  clock.advance(50);
  behind.removed('a');
  put('b', '1');
  behind.removed('b');
  await groups[0]!.done();
  clock.advance(50);
  expect(groups[1]).toMatchObject({ put: [], remove: ['a', 'b'] });
  put('a', '2', true);
  behind.removed('a');
  await groups[1]!.done(new Error('away'));
  expect(behind.pending).toBe(2);
});

test('a removed one that comes again is put', async () => {
  const { clock, behind, groups, put } = make();
  behind.removed('a');
  put('a', '2', true);
  clock.advance(50);
  expect(groups.map(shown)).toEqual([{ put: ['a=2'], remove: [] }]);
  put('a', '3', false);
  behind.removed('a');
  await groups[0]!.done();
  clock.advance(50);
  expect(groups.map(shown)[1]).toEqual({ put: [], remove: ['a'] });
});

test('a group that fails is tried again, later and later, in its newest state', async () => {
  const { clock, groups, failures, put } = make();
  put('a', '1', true);
  put('b', '1', true);
  clock.advance(50);
  put('a', '2');
  await groups[0]!.done(new Error('away'));
  expect(failures).toHaveLength(1);
  clock.advance(199);
  expect(groups).toHaveLength(1);
  clock.advance(1);
  expect(groups.map(shown)[1]).toEqual({ put: ['a=2', 'b=1'], remove: [] });
  await groups[1]!.done(new Error('away'));
  clock.advance(399);
  expect(groups).toHaveLength(2);
  clock.advance(1);
  await groups[2]!.done();
  put('c', '1');
  clock.advance(50);
  expect(groups.map(shown)[3]).toEqual({ put: ['c=1'], remove: [] });
});

test('while the database is away only what lives and what it holds waits', async () => {
  const { clock, behind, groups, put } = make();
  put('live', '1', true);
  clock.advance(50);
  for (let i = 0; i < 100; i++) {
    put(`n${i}`, '1', true);
    behind.removed(`n${i}`);
  }
  await groups[0]!.done(new Error('away'));
  for (let i = 0; i < 100; i++) {
    put(`m${i}`, '1', true);
    behind.removed(`m${i}`);
  }
  expect(behind.pending).toBe(1);
  behind.removed('live');
  expect(behind.pending).toBe(0);
});

test('flush writes now, waits for what is on its way, and tells a failure', async () => {
  const { clock, behind, groups, put } = make();
  put('a', '1', true);
  clock.advance(50);
  put('b', '1', true);
  const flushed = behind.flush();
  await settle();
  expect(groups).toHaveLength(1);
  await groups[0]!.done();
  await groups[1]!.done();
  await flushed;
  expect(behind.pending).toBe(0);
  put('c', '1', true);
  const [one, other] = [behind.flush(), behind.flush()];
  await settle();
  expect(groups).toHaveLength(3);
  const failed = Promise.all([expect(one).rejects.toThrow('away'), expect(other).rejects.toThrow('away')]);
  await groups[2]!.done(new Error('away'));
  await failed;
  behind.stop();
  expect(clock.pending).toBe(0);
});

test('a large crowd goes in groups of 2 000', async () => {
  const { behind, groups, put } = make();
  for (let i = 0; i < 4_500; i++) put(`k${i}`, '1', true);
  const flushed = behind.flush();
  for (let i = 0; i < 3; i++) await groups[i]!.done();
  await flushed;
  expect(groups.map(({ put: keys }) => keys.length)).toEqual([2_000, 2_000, 500]);
});

import { textOf } from '../dist/profile/print.js';
import { type CpuProfile, placeOf, summaryOf } from '../dist/profile/summary.js';

test.each([
  ['step', 'file:///a/packages/core/dist/publication/step.js', '@pua/core', '@pua/core/publication/step.js'],
  ['q', '/a/node_modules/.pnpm/mysql2@3/node_modules/mysql2/lib/x.js', 'mysql2', 'mysql2/lib/x.js'],
  ['n', '/a/node_modules/.pnpm/@x+y@1/node_modules/@x/y/z.js', '@x/y', '@x/y/z.js'],
  ['send', 'node:dgram', 'node', 'node:dgram'],
  ['(garbage collector)', '', '(garbage collector)', '(garbage collector)'],
  ['slice', '', '(builtins)', '(builtins)'],
  ['f', 'evalmachine.<anonymous>', 'other', 'evalmachine.<anonymous>'],
])('%s of %s belongs to %s', (name, url, group, module) => {
  expect(placeOf(name, url)).toEqual({ group, module });
});

test('self time by package and module; idle time is apart', () => {
  const node = (id: number, functionName: string, url: string) => ({ id, callFrame: { functionName, url } });
  const profile: CpuProfile = {
    nodes: [
      node(1, '(idle)', ''),
      node(2, 'a', '/packages/core/dist/a.js'),
      node(3, 'b', '/packages/core/dist/b.js'),
      node(4, 'c', 'node:dgram'),
    ],
    samples: [2, 3, 4, 1, 2],
    timeDeltas: [500, 1000, 2000, 1000, 4000],
  };
  const summary = summaryOf(profile);
  expect(summary).toMatchObject({ busyMs: 4, idleMs: 4 });
  expect(summary.groups).toEqual([
    { name: '@pua/core', ms: 3, part: 0.75 },
    { name: 'node', ms: 1, part: 0.25 },
  ]);
  expect(summary.modules.map(({ name }) => name)).toEqual(['@pua/core/b.js', '@pua/core/a.js', 'node:dgram']);
  expect(textOf('main', summary).split('\n').slice(0, 3)).toEqual([
    'main: 4 ms busy, 4 ms idle',
    '  self ms  busy %  package',
    '        3   75.0 %  @pua/core',
  ]);
});

import { EventFlag } from '@pua/core';
import { events, presence } from '@pua/documents';

test('presence is what the table of events says', () => {
  expect(presence).toMatchObject({
    name: 'presence',
    flag: 1,
    contentType: 'application/pidf+xml',
    forks: 'first',
    process: expect.any(Function),
  });
  expect(presence.flag).toBe(EventFlag.PRESENCE_EVENT);
});

test('names and flags of all events are their own', () => {
  expect(events).toContain(presence);
  expect(new Set(events.map((event) => event.name)).size).toBe(events.length);
  expect(new Set(events.map((event) => event.flag)).size).toBe(events.length);
});

test('import gives the very instance that require gives', async () => {
  // Jest has its own modules: ask Node.
  const { execFileSync } = await import('node:child_process');
  const script = `import { createRequire } from 'node:module';
    import { presence } from '@pua/documents';
    console.log(createRequire(import.meta.url)('@pua/documents').presence === presence);`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: __dirname,
    encoding: 'utf8',
  });
  expect(out.trim()).toBe('true');
});

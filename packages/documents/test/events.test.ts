import { EventFlag } from '@pua/core';
import { events, presenceWinfo } from '@pua/documents';

/** name, flag, content type, has a body processor, forks */
test.each([
  ['presence', EventFlag.PRESENCE_EVENT, 'application/pidf+xml', true, 'first'],
  ['presence.winfo', EventFlag.PWINFO_EVENT, undefined, false, 'all'],
  ['dialog;sla', EventFlag.BLA_EVENT, 'application/dialog-info+xml', true, 'all'],
  ['message-summary', EventFlag.MSGSUM_EVENT, 'application/simple-message-summary', false, 'all'],
  ['conference', EventFlag.CONFERENCE_EVENT, 'application/conference-info+xml', false, 'first'],
  ['dialog', EventFlag.DIALOG_EVENT, 'application/dialog-info+xml', true, 'all'],
  ['reg', EventFlag.REGINFO_EVENT, 'application/reginfo+xml', true, 'first'],
  ['xcap-diff', EventFlag.XCAPDIFF_EVENT, 'application/xcap-diff+xml', false, 'first'],
  ['as-feature-event', EventFlag.DFKS_EVENT, 'application/x-as-feature-event+xml', false, 'first'],
])('%s', (name, flag, contentType, processes, forks) => {
  const event = events.find((one) => one.name === name)!;
  expect(event).toMatchObject({ name, flag, forks });
  expect(event.contentType).toBe(contentType);
  expect(event.process !== undefined).toBe(processes);
});

test('those nine are all, and no two are called alike or have the same flag', () => {
  expect(events).toHaveLength(9);
  const names = events.flatMap((event) => [event.name, ...(event.aliases ?? [])]);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(events.map((event) => event.flag)).size).toBe(9);
});

test('winfo asks for its documents, and goes by the name of OpenSIPS too', () => {
  expect(presenceWinfo).toMatchObject({ accept: 'application/watcherinfo+xml', aliases: ['presence;winfo'] });
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

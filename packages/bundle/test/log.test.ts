import { channel } from 'node:diagnostics_channel';
import { logTopics, makeLogger } from '@pua/bundle';

function capture(level: 'trace' | 'info' = 'trace') {
  const lines: Record<string, unknown>[] = [];
  const logger = makeLogger(level, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { lines, end: logTopics(logger) };
}

test('every event has its code and level', () => {
  const { lines, end } = capture();
  const record = { key: 'k', presUri: 'sip:a@b', event: 'presence' };
  const answer = (status: number, received: boolean) => ({
    ...record,
    type: 'answer',
    cause: 'refresh',
    reply: { status, reason: 'R', received },
  });
  channel('pua:publication').publish(answer(200, true));
  channel('pua:publication').publish(answer(403, true));
  channel('pua:subscription').publish(answer(408, false));
  for (const type of ['expired', 'lost', 'lapsed', 'document-needed'])
    channel('pua:publication').publish({ ...record, type });
  channel('pua:subscription').publish({ ...record, type: 'terminated' });
  for (const type of ['opened', 'group', 'backlog', 'rejected', 'badRow', 'leaseLost', 'closed'])
    channel('pua:store').publish({ type });
  channel('pua:store').publish({ type: 'failure', error: new Error('disk full'), pending: 3, retryMs: 100 });
  channel('pua:fault').publish({ type: 'fault', where: 'callback', error: new Error('broken') });
  end();
  channel('pua:fault').publish({ type: 'fault', where: 'later', error: new Error('x') });
  expect(lines.map(({ level, code }) => [level, code])).toEqual([
    ['debug', 'publication.accepted'],
    ['warn', 'publication.refused'],
    ['warn', 'subscription.unreachable'],
    ['info', 'publication.expired'],
    ['warn', 'publication.lost'],
    ['info', 'publication.lapsed'],
    ['warn', 'publication.document-needed'],
    ['info', 'subscription.terminated'],
    ['info', 'store.opened'],
    ['trace', 'store.group'],
    ['warn', 'store.backlog'],
    ['error', 'store.rejected'],
    ['warn', 'store.bad-row'],
    ['error', 'store.lease-lost'],
    ['info', 'store.closed'],
    ['error', 'store.failure'],
    ['error', 'fault'],
  ]);
  expect(lines[1]).toMatchObject({ presUri: 'sip:a@b', event: 'presence', cause: 'refresh', status: 403, reason: 'R' });
  expect(lines[15]).toMatchObject({ error: 'disk full', pending: 3 });
});

test('the level decides', () => {
  const { lines, end } = capture('info');
  channel('pua:store').publish({ type: 'group' });
  end();
  expect(lines).toEqual([]);
});

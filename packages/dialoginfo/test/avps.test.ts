/** use_pubruri_avps: presentities that come from the script. */
import { ringing } from './support/source';
import { inWorld } from './support/world';

const AVPS = { usePubruriAvps: 1, pubruriCallerAvp: '$avp(s:caller)', pubruriCalleeAvp: '$avp(s:callee)' } as const;
const answered = { callee: ringing() };
const uris = (...users: string[]) => users.map((user) => `sip:${user}@example.com`);

test('each value of the AVPs is a presentity', async () => {
  const w = await inWorld({ dialoginfo: AVPS });
  w.source.say('early', {
    ...answered,
    vars: { '$avp(s:caller)': uris('c1', 'c2'), '$avp(s:callee)': 'sip:d@example.com' },
  });
  await w.settle();
  expect(w.told()).toEqual(['c1 initiator early', 'c2 initiator early', 'd recipient early']);
});

test('an AVP without value: that side is silent', async () => {
  const w = await inWorld({ dialoginfo: AVPS });
  w.source.say('created', { vars: { '$avp(s:callee)': uris('d') } });
  w.source.say('early', answered);
  await w.settle();
  expect(w.told()).toEqual(['d recipient early']);
});

test('neither has a value at the creation: the call is not followed, whatever comes later', async () => {
  const w = await inWorld({ dialoginfo: { ...AVPS, refreshPubruriAvpsFlag: 1 } });
  w.source.say('created');
  w.source.say('early', { ...answered, vars: { '$avp(s:caller)': uris('c') } }, { flags: 2 });
  await w.settle();
  expect(w.told()).toEqual([]);
});

test('what the source names itself wins', async () => {
  const w = await inWorld({ dialoginfo: AVPS });
  w.source.say('early', { ...answered, vars: { '$avp(s:caller)': uris('c') }, publishUris: { caller: uris('own') } });
  w.source.say('early', { ...answered, key: 'k2', publishUris: { callee: uris('other') } });
  await w.settle();
  expect(Object.keys(w.lamps()).sort()).toEqual(['other', 'own']);
});

describe('refresh_pubruri_avps_flag', () => {
  const start = { ...answered, vars: { '$avp(s:caller)': uris('c1', 'c2'), '$avp(s:callee)': uris('d') } };

  test('what is gone is terminated for 10 s, then the event is published', async () => {
    const w = await inWorld({ dialoginfo: { ...AVPS, refreshPubruriAvpsFlag: 1 } });
    w.source.say('early', start);
    await w.settle();
    w.told();
    const vars = { '$avp(s:caller)': uris('c2', 'c3') };
    w.source.say('confirmed', { ...answered, vars }, { flags: 2 });
    await w.settle();
    expect(w.published.map(({ expires }) => expires)).toEqual([11, 300, 300, 300]);
    // A side whose AVP is not there keeps its list.
    expect(w.told()).toEqual([
      'c1 initiator terminated',
      'c2 initiator confirmed',
      'c3 initiator confirmed',
      'd recipient confirmed',
    ]);
    await w.advance(11_000);
    expect(w.told()).toEqual(['c1 removed']);
  });

  test('without the flag the lists stay', async () => {
    const w = await inWorld({ dialoginfo: { ...AVPS, refreshPubruriAvpsFlag: 1 } });
    w.source.say('early', start);
    w.source.say('confirmed', { ...answered, vars: { '$avp(s:caller)': uris('c9') } }, { flags: 1 });
    await w.advance(100);
    expect(w.lamps()).toEqual({ c1: ['confirmed'], c2: ['confirmed'], d: ['confirmed'] });
  });

  test('a request within the dialog may carry it', async () => {
    const w = await inWorld({ dialoginfo: { ...AVPS, refreshPubruriAvpsFlag: 1 } });
    w.source.say('confirmed', start);
    await w.settle();
    w.told();
    w.source.say('updated', { ...answered, vars: { '$avp(s:callee)': [] } }, { method: 'INVITE', flags: 2 });
    await w.settle();
    expect(w.told()).toEqual(['d recipient terminated']);
  });
});

describe('pubruri_caller_dlg_var, pubruri_callee_dlg_var', () => {
  const options = { ...AVPS, pubruriCallerDlgVar: 'callers', pubruriCalleeDlgVar: 'callees' };

  test.each([
    ['JSON', JSON.stringify(uris('c1', 'c2'))],
    ['commas', uris('c1', 'c2').join(',')],
    ["Kamailio's own text", `${uris('c1', 'c2').join(', ')},`],
    ['a list', uris('c1', 'c2')],
  ])('%s: read where the AVP is gone', async (_, callers) => {
    const w = await inWorld({ dialoginfo: options });
    w.source.say('confirmed', { ...answered, vars: { callers, '$dlg_var(callees)': 'sip:d@example.com' } });
    await w.settle();
    expect(Object.keys(w.lamps())).toEqual(['c1', 'c2', 'd']);
  });

  test('the AVP is newer', async () => {
    const w = await inWorld({ dialoginfo: options });
    w.source.say('confirmed', { ...answered, vars: { callers: uris('old'), '$avp(s:caller)': uris('new') } });
    await w.settle();
    expect(Object.keys(w.lamps())).toEqual(['new']);
  });

  test('broken JSON is no list', async () => {
    const w = await inWorld({ dialoginfo: options });
    w.source.say('confirmed', { ...answered, vars: { callers: '["sip:c@', callees: '["sip:d@example.com", 3]' } });
    await w.settle();
    expect(Object.keys(w.lamps())).toEqual(['d']);
  });
});

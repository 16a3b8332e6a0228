/** What goes out against the schema of RFC 4235, and against what the schema leaves open. */
import type { DialogSnapshot } from '@pua/core';
import type { DialoginfoOptions } from '@pua/dialoginfo';
import { Namespace } from '@pua/documents';
import { complaints as complaintsOf, describeWithSchemas, temporaryFolder } from '../../documents/test/xmllint';
import { ALICE, ringing } from './support/source';
import { inWorld } from './support/world';

const STRANGE: Partial<DialogSnapshot>[] = [
  {},
  { callId: `q"8'v<1>&7@x ü` },
  { caller: { uri: ALICE, display: `"Zoë" <&> 漢字 \u{1f600}\u0000\ud800`, tag: `t"<&>'` } },
  { caller: { uri: 'anonymous' } },
  { referredBy: { uri: 'sip:carol@example.com?x=1&y=2', display: 'C & <D>' } },
  { replaces: { callId: 'a&b', localTag: '"l"', remoteTag: '' } },
  { mask: { callee: 'not a uri' }, privacy: { caller: ['id'] } },
  { callee: { ...ringing(), contact: 'sip:b@[2001:db8::1]:5060;transport=tcp?a=b&c=d' } },
];
/** All but `attribute_display`, which the schema does not know. */
const OPTIONS: DialoginfoOptions[] = [
  {},
  { aggregate: 1 },
  { profile: 'opensips', publishOnTrying: 1, includeTags: 0 },
  { includeLocalremote: 0, includeCallid: 0, useUuid: 1, calleeTrying: 1 },
];

/** Every document of these calls. */
async function documents(dialoginfo: DialoginfoOptions): Promise<string[]> {
  const w = await inWorld({ dialoginfo });
  for (const [index, more] of STRANGE.entries()) {
    const dialog = { key: `k${index}`, callee: ringing(), ...more };
    w.source.say('created', dialog);
    await w.settle();
    w.source.say('early', dialog);
    await w.settle();
    if (index % 2 === 0) w.source.say('confirmed', dialog);
    await w.advance(2_000);
    w.source.say(index % 2 === 0 ? 'terminated' : 'failed', { ...dialog, reason: { code: 486, by: 'callee' } });
    await w.settle();
  }
  return w.published.map(({ body }) => body).filter((body) => body !== '');
}

const SCHEMA = { [Namespace.DIALOG_INFO]: 'dialog-info' };

describeWithSchemas('schema', () => {
  const folder = temporaryFolder();
  const complaints = (documents: readonly string[]) => complaintsOf(folder(), SCHEMA, documents);

  test.each(OPTIONS)('%j', async (options) => {
    const all = await documents(options);
    expect(all.length).toBeGreaterThan(20);
    expect(complaints(all)).toBe('');
  });

  test('the check can fail', () => {
    expect(complaints(['<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full"/>'])).toMatch(
      /entity/,
    );
  });
});

test.each(OPTIONS)('states in lower case, elements in order: %j', async (options) => {
  for (const body of await documents(options)) {
    for (const [, state] of body.matchAll(/<state[^>]*>([^<]*)</g)) {
      expect(['trying', 'proceeding', 'early', 'confirmed', 'terminated']).toContain(state);
    }
    for (const [dialog] of body.matchAll(/<dialog .*?<\/dialog>/gs)) {
      const names = [...dialog.matchAll(/<(state|duration|replaces|referred-by|local|remote)\b/g)].map(
        ([, name]) => name!,
      );
      const order = ['state', 'duration', 'replaces', 'referred-by', 'local', 'remote'];
      expect(names).toEqual(order.filter((name) => names.includes(name)));
    }
  }
});

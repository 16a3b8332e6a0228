/** Options: what is refused before anything runs, and what is warned about. */
import { PuaError } from '@pua/core';
import { DIALOGINFO_PARAMETERS, type DialoginfoOptions, dialoginfo } from '@pua/dialoginfo';
import { hostOf } from '../dist/domains.js';
import { FakeSource } from './support/source';

const source = new FakeSource();
const AVPS = { usePubruriAvps: 1, pubruriCallerAvp: '$avp(a)', pubruriCalleeAvp: '$avp(b)' } as const;

const REFUSED: [string, object, RegExp][] = [
  ['no source', { source: undefined }, /source: give one/],
  ['what is no source', { source: {} }, /no onEvent/],
  ['a profile that is none', { profile: 'asterisk' }, /profile: must be kamailio or opensips/],
  ['a switch of 2', { includeTags: 2 }, /includeTags \(include_tags\): must be one of 0, 1/],
  ['a flag of 32', { sendPublishFlag: 32 }, /send_publish_flag/],
  ['AVPs without a name', { usePubruriAvps: 1, pubruriCallerAvp: '$avp(a)' }, /pubruriCalleeAvp.*missing/],
  ['AVPs that are none', { ...AVPS, pubruriCalleeAvp: '$var(b)' }, /pubruriCalleeAvp.*\$var\(b\)/],
  [
    'a substitute that is no URI',
    { callerEntityWhenPublishDisabled: 'front desk' },
    /caller_entity_when_publish_disabled/,
  ],
  ['a variable that is none', { callerSpecParam: 'caller' }, /callerSpecParam.*script variable/],
  ['another one', { calleeSpecParam: '$avp(' }, /calleeSpecParam/],
  ['a broken expression', { localDomains: '/(/' }, /local_domains/],
  ['a URI for a domain', { localDomains: ['alice@example.com'] }, /neither a host name/],
  ['a negative lifetime', { terminatedLifetime: -1 }, /terminated_lifetime/],
];

test.each(REFUSED)('%s is refused', (_, options, message) => {
  const make = () => dialoginfo({ source, ...options } as DialoginfoOptions);
  expect(make).toThrow(PuaError);
  expect(make).toThrow(expect.objectContaining({ code: 'PUA_ERR_OPTION', message: expect.stringMatching(message) }));
});

test.each([
  ['dialog variables that are unset', AVPS, [/pubruri_caller_dlg_var/, /pubruri_callee_dlg_var/]],
  [
    'a substitute without flag',
    { calleeEntityWhenPublishDisabled: 'sip:a@b.example' },
    [/callee_entity_when_publish_disabled/],
  ],
  ['nothing', {}, []],
])('warned about: %s', (_, options, expected) => {
  const warnings: string[] = [];
  dialoginfo({ source, ...options, warn: (text) => void warnings.push(text) });
  expect(warnings).toEqual(expected.map((one) => expect.stringMatching(one)));
});

test('the 22 parameters of Kamailio with their defaults', () => {
  const defaults = Object.fromEntries(
    Object.entries(DIALOGINFO_PARAMETERS).map(([name, spec]) => [name, spec.default]),
  );
  expect(defaults).toMatchObject({
    use_uuid: 0,
    include_callid: 1,
    include_tags: 1,
    include_localremote: 1,
    override_lifetime: 0,
    caller_confirmed: 0,
    include_req_uri: 0,
    send_publish_flag: -1,
    use_pubruri_avps: 0,
    pubruri_caller_avp: null,
    pubruri_callee_avp: null,
    refresh_pubruri_avps_flag: -1,
    pubruri_caller_dlg_var: null,
    pubruri_callee_dlg_var: null,
    local_identity_dlg_var: null,
    callee_trying: 0,
    disable_caller_publish_flag: -1,
    disable_callee_publish_flag: -1,
    caller_entity_when_publish_disabled: null,
    callee_entity_when_publish_disabled: null,
    publish_dialog_req_within: 1,
    attribute_display: 0,
  });
  // OpenSIPS'
  expect(defaults).toMatchObject({
    publish_on_trying: 0,
    nopublish_flag: -1,
    presence_server: null,
    caller_spec_param: null,
    callee_spec_param: null,
    osips_ps: 1,
  });
});

test.each([
  ['sip:alice@Example.COM:5060;transport=tcp', 'example.com'],
  ['sips:example.com.', 'example.com'],
  ['sip:a:secret@[2001:DB8::1]:5060', '[2001:db8::1]'],
  ['sip:alice@example.com?x=y', 'example.com'],
  ['pres:alice@Example.com', 'example.com'],
  ['tel:+1555', ''],
])('host of %s', (uri, host) => {
  expect(hostOf(uri)).toBe(host);
});

/** AORs, parameters of the Contact, options: pure parts. */
import { type ReginfoOptions, reginfo } from '@pua/reginfo';
import { aorUri, storeKey } from '../dist/aor.js';
import { bindingParams, readParams, writeParams } from '../dist/params.js';
import { binding, FakeRegistrar } from './support/registrar';

describe('AOR -> URI', () => {
  test.each([
    ['alice@example.com', 'sip:alice@example.com'],
    ['alice', 'sip:alice@home.example'],
    ['', 'sip:home.example'],
    ['@example.com', 'sip:example.com'],
    ['a@b@example.com', 'sip:a%40b@example.com'],
    ['a%20b@example.com', 'sip:a%20b@example.com'],
    ['50%@example.com', 'sip:50%25@example.com'],
    ['a b\u{1f600}\ud800@example.com', 'sip:a%20b%F0%9F%98%80%EF%BF%BD@example.com'],
    ['sips:alice@example.com', 'sips:alice@example.com'],
    ['<sip:alice@example.com>', 'sip:alice@example.com'],
    ['tel:+4930', 'tel:+4930'],
  ])('%j', (aor, uri) => expect(aorUri(aor, 'home.example')).toBe(uri));
});

describe('URI -> key of the store', () => {
  test.each([
    ['sip:alice@Example.COM', 'alice@example.com', 'alice'],
    ['sips:alice:secret@example.com:5061;user=phone?a=b', 'alice@example.com', 'alice'],
    ['sip:alice@[2001:DB8::1]:5060', 'alice@[2001:db8::1]', 'alice'],
    ['sip:example.com', 'example.com', ''],
    ['sip:a%40b@example.com', 'a%40b@example.com', 'a%40b'],
    ['tel:+4930', 'tel:+4930', 'tel:+4930'],
    ['http://example.com', undefined, undefined],
    ['alice', undefined, undefined],
    ['sip:', undefined, undefined],
  ])('%s', (uri, withDomain, without) => {
    expect([storeKey(uri, true), storeKey(uri, false)]).toEqual([withDomain, without]);
  });
});

describe('parameters of the Contact', () => {
  test.each([
    [{ a: 'token' }, [['a', 'token']]],
    [{ a: 'two words' }, [['a', '"two words"']]],
    [{ a: '' }, [['a', '""']]],
    [{ a: 'x"\\y' }, [['a', '"x\\"\\\\y"']]],
    [
      { audio: true, methods: 'INVITE', '+sip.y': '1' },
      [
        ['audio', ''],
        ['methods', '"INVITE"'],
        ['+sip.y', '"1"'],
      ],
    ],
  ] as const)('%j there and back', (params, written) => {
    const found = writeParams({ ...binding(), params });
    expect(found.map(({ name, value }) => [name, value])).toEqual(written);
    expect(readParams(found)).toEqual(params);
  });

  test('instance and reg-id have fields of their own', () => {
    const given = [
      { name: '+sip.instance', value: '"<urn:uuid:1>"' },
      { name: 'reg-id', value: '2' },
      { name: 'ob', value: '' },
    ];
    expect(bindingParams(given)).toEqual({ instance: 'urn:uuid:1', regId: 2, params: { ob: true } });
    expect(bindingParams([{ name: 'reg-id', value: 'x' }])).toEqual({ params: { 'reg-id': 'x' } });
    expect(bindingParams(undefined)).toEqual({});
  });
});

describe('options', () => {
  const source = new FakeRegistrar();

  test.each<[ReginfoOptions, string]>([
    [{ profile: 'asterisk' as 'kamailio' }, "reginfo profile: must be 'kamailio' or 'opensips'"],
    [{ publishReginfo: 2 }, 'reginfo publishReginfo (publish_reginfo): must be one of 0, 1, not 2'],
    [{ serverAddress: 'reg@example.com' }, 'reginfo serverAddress (server_address): must be a SIP URI'],
    [{ outboundProxy: 'x' }, 'reginfo outboundProxy (outbound_proxy): must be a SIP URI'],
    [{ terminatedLifetime: 0 }, 'reginfo terminatedLifetime (terminated_lifetime): must be 1 or more, not 0'],
    [{ source: {} as FakeRegistrar }, 'reginfo sources: must be sources such as registrar(...)'],
    [{ sink: {} as FakeRegistrar }, 'reginfo sink: must be a sink such as registrar(...)'],
    [{ subscribe: 'sip:a@b' as unknown as string[] }, 'reginfo subscribe: must be a list of SIP URIs, not "sip:a@b"'],
    [
      { subscribe: ['sip:a@b', 'alice'], serverAddress: 'sip:a@b' },
      'reginfo subscribe: must be a list of SIP URIs, not ["sip:a@b","alice"]',
    ],
    [
      { ulIdentitiesKey: 'ids', source },
      'reginfo ulIdentitiesKey (ul_identities_key): needs a source with identities()',
    ],
    [{ subscribe: ['sip:a@b'] }, 'reginfo serverAddress (server_address): must be set'],
    [{ partial: 1, source: new FakeRegistrar({ bindings: false }) }, 'reginfo partial: needs sources with bindings()'],
  ])('%j', (options, message) => {
    expect(() => reginfo(options)).toThrow(message);
    expect(() => reginfo(options)).toThrow(expect.objectContaining({ code: 'PUA_ERR_OPTION' }));
  });

  test('nothing is mandatory but what is used', () => {
    expect(reginfo().name).toBe('reginfo');
    expect(reginfo({ source, profile: 'opensips' }).name).toBe('reginfo');
  });
});

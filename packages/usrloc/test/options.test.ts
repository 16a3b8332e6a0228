/** Options that can't be are refused with their names and the remedy. */
import { PuaError, type RegistrationSource } from '@pua/core';
import { type UsrlocOptions, usrloc } from '@pua/usrloc';
import { FakeRegistrar } from './support/registrar';

const source = new FakeRegistrar();

test('a source is all it needs', () => {
  expect(usrloc({ source }).name).toBe('usrloc');
  expect(usrloc({ sources: [source, source] }).name).toBe('usrloc');
});

test.each<[string, UsrlocOptions, RegExp]>([
  ['neither', {}, /source: give either source or sources/],
  ['both', { source, sources: [source] }, /source: give either source or sources/],
  ['none in the list', { sources: [] }, /sources: must be a list with at least one/],
  ['no source', { source: {} as RegistrationSource }, /source: .* no onEvent/],
  ['no domain', { source, defaultDomain: 'a@b' }, /defaultDomain \(default_domain\): must be a host/],
  ['a prefix with colon', { source, entityPrefix: 'pres:' }, /entityPrefix \(entity_prefix\): .* without colon/],
  ['a flag that is none', { source, branchFlag: 32 }, /branchFlag \(branch_flag\): must be 31 or less/],
  [
    'a proxy that is none',
    { source, presenceServer: 'example.com' },
    /presenceServer \(presence_server\): must be a SIP URI/,
  ],
  ['no predicate', { source, publish: true as never }, /publish: must be a function/],
])('%s', (_name, options, message) => {
  expect(() => usrloc(options)).toThrow(message);
  expect(() => usrloc(options)).toThrow(PuaError);
});

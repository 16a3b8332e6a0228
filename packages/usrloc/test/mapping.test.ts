/** Documents: what stands in them, and that they are valid. */
import { Namespace, readPidf } from '@pua/documents';
import * as fc from 'fast-check';
import { complaints, describeWithSchemas, temporaryFolder } from '../../documents/test/xmllint';
import { presentityUri } from '../dist/identity.js';
import {
  closedDocument,
  type DocumentSettings,
  entityOf,
  lifetime,
  openDocument,
  openTuple,
  writeDocument,
} from '../dist/mapping.js';
import { binding, NOW } from './support/registrar';

const settings = (change: Partial<DocumentSettings> = {}): DocumentSettings => ({
  entityPrefix: null,
  compat: 0,
  contact: 0,
  ...change,
});
const DESK = 'sip:desk41@pbx.example.net';
const registeredAt = Date.UTC(2031, 3, 9, 7, 15);
const open = (change: Partial<DocumentSettings> = {}, more = {}) =>
  writeDocument(DESK, [openTuple('b-1', binding({ registeredAt, ...more }), settings(change))], settings(change));

describe('entity', () => {
  test.each<[string, string | null, number, string]>([
    ['BETTER: without prefix the URI, never schemeless', null, 0, DESK],
    ['with prefix', 'pres', 0, 'pres:desk41@pbx.example.net'],
    ['compat: without prefix as Kamailio has it', null, 1, 'desk41@pbx.example.net'],
    ['compat: with prefix', 'pres', 1, 'pres:desk41@pbx.example.net'],
  ])('%s', (_name, entityPrefix, compat, entity) => {
    expect(entityOf(DESK, settings({ entityPrefix, compat }))).toBe(entity);
  });

  test('the scheme of a full URI is kept; a tel: URI has no domain for another one', () => {
    expect(entityOf('sips:a@example.com', settings())).toBe('sips:a@example.com');
    expect(entityOf('sips:a@example.com', settings({ entityPrefix: 'pres' }))).toBe('pres:a@example.com');
    expect(entityOf('tel:+4930', settings({ entityPrefix: 'pres' }))).toBe('tel:+4930');
  });

  test('BETTER: longer than 256 bytes', () => {
    const uri = `sip:${'a'.repeat(300)}@example.com`;
    expect(readPidf(writeDocument(uri, [{ basic: 'open' }], settings())).entity).toBe(uri);
  });

  test('BETTER: an AOR with &, < and quotes is escaped, as URI and as XML', () => {
    const uri = presentityUri(`a&b<"'>@example.com`, null);
    const text = writeDocument(uri, [{ basic: 'open' }], settings());
    expect(text).toContain(`entity="sip:a&amp;b%3C%22'%3E@example.com"`);
    expect(readPidf(text).entity).toBe(uri);
  });
});

test('the default document: one open tuple, when it came to be, no address', () => {
  expect(readPidf(open())).toEqual({
    entity: DESK,
    tuples: [{ id: 'b-1', basic: 'open', timestamp: '2031-04-09T07:15:00Z' }],
  });
});

test('without the time of the registration there is no timestamp', () => {
  expect(open({}, { registeredAt: undefined })).not.toContain('timestamp');
});

test('contact 1: the address of the device and its q', () => {
  const contact = 'sip:desk41@203.0.113.17:5062;transport=tls';
  expect(readPidf(open({ contact: 1 }, { contact, q: 0.8 })).tuples![0]!.contact).toEqual({
    uri: contact,
    priority: 0.8,
  });
  expect(readPidf(open({ contact: 1 }, { contact })).tuples![0]!.contact).toEqual({ uri: contact });
});

test.each<[string, object, object]>([
  ['white space, brackets', { contact: 'sip:a b<c>@x', q: 1 }, { uri: 'sip:a%20b%3Cc%3E@x', priority: 1 }],
  ['control characters', { contact: 'sip:a\u0001@x' }, { uri: 'sip:a%01@x' }],
  ['a q that is none', { contact: 'sip:a@x', q: 5 }, { uri: 'sip:a@x' }],
])('contact 1: what no document takes does not keep anybody offline: %s', (_name, more, contact) => {
  expect(readPidf(open({ contact: 1 }, more)).tuples![0]!.contact).toEqual(contact);
});

test('contact 1: a source that tells no contact', () => {
  for (const contact of ['', undefined])
    expect(readPidf(open({ contact: 1 }, { contact })).tuples![0]!.contact).toBeUndefined();
});

test('compat 1: the plain document of the C modules', () => {
  expect(readPidf(open({ compat: 1, entityPrefix: 'pres' }))).toEqual({
    entity: 'pres:desk41@pbx.example.net',
    tuples: [{ id: 'b-1', basic: 'open' }],
  });
});

test('closed: the tuple that was open, and since when', () => {
  expect(readPidf(closedDocument(DESK, 'b-1', registeredAt, settings()))).toEqual({
    entity: DESK,
    tuples: [{ id: 'b-1', basic: 'closed', timestamp: '2031-04-09T07:15:00Z' }],
  });
  expect(closedDocument(DESK, 'b-1', registeredAt, settings({ compat: 1 }))).not.toContain('timestamp');
});

test('the quick way writes the very same document', () => {
  const aor = fc.oneof(fc.string({ minLength: 1, unit: 'binary' }), fc.emailAddress());
  const options = fc.record({
    contact: fc.constantFrom(0, 1),
    compat: fc.constantFrom(0, 1),
    entityPrefix: fc.constantFrom(null, 'pres'),
  });
  const time = fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined });
  fc.assert(
    fc.property(aor, options, time, (user, one, registeredAt) => {
      const uri = presentityUri(`${user}@example.com`, null);
      const bound = binding({ registeredAt });
      expect(openDocument(uri, 'b-1', bound, one)).toBe(writeDocument(uri, [openTuple('b-1', bound, one)], one));
    }),
    { seed: 1 },
  );
});

describe('lifetime', () => {
  test.each([
    ['what is left, and the grace', NOW + 60_000, 61],
    ['a broken second counts', NOW + 59_001, 61],
    ['permanent: for ever', 0, -1],
    ['over now', NOW, 0],
    ['over', NOW - 1, 0],
    ['not beyond what a header may say', NOW + 1e15, 0x7fffffff],
  ])('%s', (_name, expiresAt, seconds) => {
    expect(lifetime(expiresAt, NOW, 1)).toBe(seconds);
  });
});

describeWithSchemas('against the schema of RFC 3863', () => {
  const folder = temporaryFolder();

  test('all documents are valid', () => {
    const documents = [
      settings(),
      settings({ contact: 1 }),
      settings({ compat: 1 }),
      settings({ entityPrefix: 'pres', compat: 1, contact: 1 }),
    ].flatMap((one) => [
      writeDocument(
        presentityUri('jü<&>@example.com', null),
        ['b-1', 'b-2'].map((id) => openTuple(id, binding({ registeredAt, q: 0.25 }), one)),
        one,
      ),
      closedDocument(DESK, 'b-1', NOW, one),
    ]);
    expect(complaints(folder(), { [Namespace.PIDF]: 'pidf' }, documents)).toBe('');
    const wrong = documents[0]!.replace('>open<', '>opne<');
    expect(complaints(folder(), { [Namespace.PIDF]: 'pidf' }, [wrong])).toContain('opne');
  });
});

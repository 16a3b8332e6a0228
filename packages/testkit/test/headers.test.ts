import { addressOfRecord, deltaSeconds, eventKey, listOf, mediaType, parseAddress } from '../dist/sip/headers.js';

test.each([
  ['<sip:a@b;lr>;tag=x', 'sip:a@b;lr', 'x'],
  ['"A <tricky\\" one>" <sip:a@b> ; TAG = y', 'sip:a@b', 'y'],
  ['sip:a@b;tag=z', 'sip:a@b', 'z'],
  ['Alice <sip:a@b>', 'sip:a@b', undefined],
  ['<sip:a@b', 'sip:a@b', undefined],
  ['', '', undefined],
])('parseAddress %j', (value, uri, tag) => {
  expect(parseAddress(value)).toEqual({ uri, tag });
});

test('lists may be spread over lines and hold commas in quotes and brackets', () => {
  expect(listOf(['<sip:a,b@c>, "x, y" <sip:d>', ' ', '<sip:e>'])).toEqual(['<sip:a,b@c>', '"x, y" <sip:d>', '<sip:e>']);
  expect(listOf([])).toEqual([]);
});

test.each([
  ['sip:Alice@Example.COM;transport=tcp?x=y', 'Alice@example.com'],
  ['sips:alice:secret@example.com:5061', 'alice@example.com:5061'],
  ['pres:alice@example.com', 'alice@example.com'],
  ['sip:Example.com', 'example.com'],
  ['nonsense', 'nonsense'],
])('addressOfRecord %s', (uri, wanted) => {
  expect(addressOfRecord(uri)).toBe(wanted);
});

test('small values', () => {
  expect([deltaSeconds('3600;x'), deltaSeconds('x'), deltaSeconds(undefined)]).toEqual([3600, undefined, undefined]);
  expect([eventKey('dialog ; sla;id=3'), eventKey('presence'), eventKey(undefined)]).toEqual([
    'dialog;sla',
    'presence',
    undefined,
  ]);
  expect(mediaType('Application/PIDF+XML; charset=utf-8')).toBe('application/pidf+xml');
});

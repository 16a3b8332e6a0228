import { PuaError } from '../dist/errors.js';
import { type EventDefinition, EventRegistry, eventId, packageOf } from '../dist/events.js';

const presence: EventDefinition = { name: 'presence', flag: 1, contentType: 'application/pidf+xml' };
const winfo: EventDefinition = { name: 'presence.winfo', flag: 2, aliases: ['presence;winfo'] };
const sla: EventDefinition = { name: 'dialog;sla', flag: 4, contentType: 'application/dialog-info+xml' };

function registry(...events: EventDefinition[]) {
  const made = new EventRegistry();
  for (const event of events) made.add(event);
  return made;
}

const conflict = expect.objectContaining({ code: 'PUA_ERR_EVENT_CONFLICT' });
const argument = expect.objectContaining({ code: 'PUA_ERR_ARGUMENT' });

test('found by name, alias and flag, without case', () => {
  const events = registry(presence, winfo, sla);
  expect(events.get('PRESENCE')).toMatchObject(presence);
  expect(events.get('presence;winfo')).toMatchObject(winfo);
  expect(events.get(4)).toMatchObject(sla);
  expect(events.all()).toMatchObject([presence, winfo, sla]);
});

test('the same definition again is fine', () => {
  expect(registry(presence, presence).all()).toMatchObject([presence]);
});

test.each([
  ['a used name', { name: 'Presence', flag: 512 }],
  ['a used flag', { name: 'other', flag: 1 }],
  ['an alias as name', { name: 'presence;winfo', flag: 512 }],
  ['a used name as alias', { name: 'other', flag: 512, aliases: ['presence'] }],
])('%s is refused, and nothing is changed', (_name, event) => {
  const events = registry(presence, winfo);
  expect(() => events.add(event)).toThrow(conflict);
  expect(events.all()).toMatchObject([presence, winfo]);
  expect(events.find('presence')).toMatchObject(presence);
  expect(events.find('other')).toBeUndefined();
});

test.each([0, -1, 3, 0.5, 2 ** 31, Number.NaN, '1'])('flag %j is not one bit', (flag) => {
  expect(() => registry({ name: 'x', flag: flag as number })).toThrow(argument);
});

test.each(['', 'a b', 'a\r\nEvil: 1', 'a;', ';a', 'a,b', undefined, 5])('%j is no event name', (name) => {
  expect(() => registry({ name: name as string, flag: 512 })).toThrow(argument);
});

test.each(['contentType', 'accept'])('%s must be one line', (field) => {
  expect(() => registry({ name: 'x', flag: 512, [field]: 'a/b\r\nEvil: 1' })).toThrow(argument);
});

test('without a flag of its own it gets a free one; its records are told by its name', () => {
  const events = registry(presence, { name: 'mine', flag: 1024 }, { name: 'First' }, { name: 'second' });
  expect(events.all().map(({ name, flag, keyPart }) => [name, flag, keyPart])).toEqual([
    ['presence', 1, 1],
    ['mine', 1024, 1024],
    ['First', 512, 'first'],
    ['second', 2048, 'second'],
  ]);
  expect(events.get(2048).name).toBe('second');
});

test('there are as many free flags as bits', () => {
  const events = registry(...Array.from({ length: 22 }, (_, n) => ({ name: `e${n}` })));
  expect(() => events.add({ name: 'one-more' })).toThrow(conflict);
});

test('an unknown event is named, and what there is', () => {
  expect(() => registry(presence, winfo).get('nope')).toThrow(
    'unknown event nope; registered: presence, presence.winfo',
  );
  expect(() => registry().get(8)).toThrow('unknown event 8; registered: none');
});

test.each([undefined, null, {}, []])('%j is an error with a code, no crash', (event) => {
  expect(() => registry(presence).get(event as never)).toThrow(PuaError);
});

test('packages are compared byte for byte', () => {
  const events = registry(sla);
  expect(events.hasPackage('dialog')).toBe(true);
  expect(events.hasPackage('Dialog')).toBe(false);
  expect(events.hasPackage('dialog;sla')).toBe(false);
});

test.each([
  ['presence', 'presence', undefined],
  ['dialog;sla', 'dialog', undefined],
  ['dialog ; sla;ID = 3', 'dialog', '3'],
  ['presence;id=a', 'presence', 'a'],
])('%j', (header, name, id) => {
  expect([packageOf(header), eventId(header)]).toEqual([name, id]);
});

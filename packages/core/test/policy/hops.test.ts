import { HopMemory, hopName } from '../../dist/policy/hops.js';
import { hop } from '../support/sip';

const memory = () => new HopMemory(hop('10.0.0.1'));

test('names', () => {
  expect(hopName(hop('10.0.0.1'))).toBe('udp:10.0.0.1:5060');
  expect(hopName({ transport: 'tls', host: '2001:db8::1', port: 5061 })).toBe('tls:[2001:db8::1]:5061');
  const of = (serverName: string) => hopName({ transport: 'tls', host: '10.0.0.1', port: 5061, serverName });
  expect([of('a.example'), of('b.example')]).toEqual([
    'tls:10.0.0.1:5061 (a.example)',
    'tls:10.0.0.1:5061 (b.example)',
  ]);
});

test('an unknown hop is open', () => {
  expect(memory().openAt(5)).toBe(5);
});

test('a silent hop is set aside for a growing while: 1, 2, 4 .. 30 s', () => {
  const m = memory();
  let now = 100_000;
  const asides: number[] = [];
  for (let i = 0; i < 7; i++) {
    m.sending();
    m.silent(now - 32_000, now);
    asides.push(m.openAt(now) - now);
    now = m.openAt(now);
  }
  expect(asides).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
});

test('what was on its way when it died does not prolong the time', () => {
  const m = memory();
  m.silent(0, 32_000);
  for (let i = 1; i < 100; i++) m.silent(i, 32_000 + i);
  expect(m.openAt(32_500)).toBe(33_000);
});

test('after the time one request goes through to see, the others wait', () => {
  const m = memory();
  m.silent(0, 32_000);
  expect(m.openAt(33_000)).toBe(33_000);
  m.sending();
  expect(m.openAt(33_000)).toBeGreaterThan(33_000);
  m.silent(33_000, 65_000);
  expect(m.openAt(65_000)).toBe(67_000);
  expect(m.openAt(67_000)).toBe(67_000);
});

test('any answer opens it, and the next time starts small again', () => {
  const m = memory();
  m.silent(0, 32_000);
  m.silent(33_000, 65_000);
  m.heard(70_000);
  expect(m.openAt(70_000)).toBe(70_000);
  m.silent(71_000, 103_000);
  expect(m.openAt(103_000)).toBe(104_000);
});

test('a hop that answered others meanwhile is not set aside', () => {
  const m = memory();
  m.heard(20_000);
  m.silent(0, 32_000);
  expect(m.openAt(32_000)).toBe(32_000);
});

test('a probe that never left is none', () => {
  const m = memory();
  m.silent(0, 32_000);
  m.sending();
  m.unsent();
  expect(m.openAt(33_000)).toBe(33_000);
});

test('Retry-After bars it, a shorter one does not shorten that, an answer does not lift it', () => {
  const m = memory();
  m.bar(60_000);
  m.bar(30_000);
  m.heard(1_000);
  expect(m.openAt(1_000)).toBe(60_000);
  expect(m.openAt(60_000)).toBe(60_000);
});

test('barred and set aside: the later counts', () => {
  const m = memory();
  m.bar(32_500);
  m.silent(0, 32_000);
  expect(m.openAt(32_000)).toBe(33_000);
});

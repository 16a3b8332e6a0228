import { DEFAULT_POLICY } from '../../dist/policy/policy.js';
import { judge } from '../../dist/policy/verdict.js';
import { responseAnswer, silence } from '../support/machines';

const NOW = 50_000;
const context = (u = 0.5) => ({ now: NOW, random: () => u, policy: DEFAULT_POLICY });

describe('Retry-After', () => {
  test.each([404, 413, 480, 486, 500, 600, 603])('of a %i holds the record back until then', (status) => {
    const verdict = judge(responseAnswer(status, { retryAfter: 30 }), 0, context());
    expect(verdict.notBefore).toBe(NOW + 30_000);
    expect(verdict.retryAt).toBeGreaterThanOrEqual(verdict.notBefore);
    expect(verdict.retryAt).toBeLessThanOrEqual(NOW + 33_000);
  });

  test.each([302, 403, 410, 415, 416, 420, 503, 504, 604])('of a %i says nothing about the record', (status) => {
    const with_ = judge(responseAnswer(status, { retryAfter: 30 }), 0, context());
    expect(with_).toEqual(judge(responseAnswer(status), 0, context()));
    expect(with_.notBefore).toBe(0);
  });

  test('is capped', () => {
    const { notBefore } = judge(responseAnswer(480, { retryAfter: 86_400 }), 0, context());
    expect(notBefore).toBe(NOW + DEFAULT_POLICY.retryAfterCap);
  });

  test('of 0 seconds is no invitation to a loop: back-off is the least', () => {
    let delay = 0;
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      const verdict = judge(responseAnswer(404, { retryAfter: 0 }), delay, context(0.9));
      waits.push(verdict.retryAt - NOW);
      delay = verdict.delay;
    }
    expect(waits[0]).toBeGreaterThanOrEqual(DEFAULT_POLICY.backoffBase);
    expect(waits[3]).toBeGreaterThan(10_000);
  });
});

describe('without Retry-After', () => {
  test.each([
    [403, 3_600_000, 3_960_000],
    [302, 3_600_000, 3_960_000],
    [481, 3_600_000, 3_960_000],
    [423, 3_600_000, 3_960_000],
    [604, 3_600_000, 3_960_000],
    [401, 60_000, 120_000],
    [407, 60_000, 120_000],
    [491, 0, 10_000],
    [408, 1_000, 2_000],
    [500, 1_000, 2_000],
    [503, 1_000, 2_000],
    [412, 1_000, 2_000],
  ])('%i is tried again after %i..%i ms', (status, least, most) => {
    for (const u of [0, 0.3, 0.999]) {
      const verdict = judge(responseAnswer(status), 0, context(u));
      expect(verdict.retryAt - NOW).toBeGreaterThanOrEqual(least);
      expect(verdict.retryAt - NOW).toBeLessThanOrEqual(most);
      expect(verdict.notBefore).toBe(0);
    }
  });

  test('silence backs off from the delay before it', () => {
    expect(judge(silence(), 10_000, context(0.999)).retryAt - NOW).toBeGreaterThan(29_000);
  });
});

describe('every route barred', () => {
  test('nothing before it opens, and not all at the same moment', () => {
    const at = (u: number) => judge(silence(false, NOW + 20_000), 0, context(u));
    expect(at(0).notBefore).toBe(NOW + 20_000);
    expect(at(0).retryAt).toBe(NOW + 20_000);
    expect(at(0.9).retryAt).toBeGreaterThan(NOW + 20_000);
  });

  test('those whom a long Retry-After sent away come back over a tenth of it', () => {
    const at = (u: number) => judge(silence(false, NOW + 600_000), 0, context(u)).retryAt - NOW;
    expect([at(0), at(0.5), at(0.999)].map(Math.round)).toEqual([600_000, 630_000, 659_940]);
    const refused = (u: number) => judge(responseAnswer(480, { retryAfter: 600 }), 0, context(u)).retryAt - NOW;
    expect([refused(0), refused(0.5)]).toEqual([600_000, 630_000]);
  });

  test('a bar that has passed is none', () => {
    expect(judge(silence(true, NOW), 0, context()).notBefore).toBe(0);
  });

  test('the later of bar and Retry-After counts', () => {
    const answer = responseAnswer(500, { retryAfter: 5, barredUntil: NOW + 60_000 });
    expect(judge(answer, 0, context()).notBefore).toBe(NOW + 60_000);
  });
});

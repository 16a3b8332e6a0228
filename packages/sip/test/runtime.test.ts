import { systemClock } from '@pua/sip';

describe('systemClock.after', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('a wait beyond 2^31 ms, which setTimeout can not do in one piece', () => {
    const run = jest.fn();
    const sixtyDays = 60 * 86_400_000;
    systemClock.after(sixtyDays, run);
    jest.advanceTimersByTime(sixtyDays - 1);
    expect(run).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  test('is cancelled in any of its pieces', () => {
    const run = jest.fn();
    const timer = systemClock.after(60 * 86_400_000, run);
    jest.advanceTimersByTime(40 * 86_400_000);
    timer.cancel();
    jest.advanceTimersByTime(60 * 86_400_000);
    expect(run).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });
});

/**
 * REGISTER in, PUBLISH out: the same phones and the same presence server (native/phones.c) for whoever stands in between.
 *
 *   phones  REGISTER ->  [ ours, Kamailio, or a mirror ]  PUBLISH ->  server
 */
import type { Effort, Sample } from '../row.js';
import { scaled } from '../row.js';
import { NativeProgram } from './native.js';
import { sleep, warmUp } from './stopwatch.js';

export const BINDINGS = 20_000;

interface Report {
  readonly operations: number;
  readonly repetitions: number;
  readonly refused: number;
  readonly cpuUs: number;
  /** Milliseconds from the REGISTER to its PUBLISH, of those since the last report. */
  readonly p50: number;
  readonly p99: number;
}

/** Who takes the REGISTERs. */
export interface Between {
  readonly port: number;
  /** Milliseconds so far, of all its processes. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** @throws Error (by rejection) when a REGISTER was refused */
export async function registering(effort: Effort, start: (serverPort: number) => Promise<Between>): Promise<Sample> {
  const users = Math.max(scaled(BINDINGS, effort), 2 * effort.window);
  const phones = await NativeProgram.start('phones', String(effort.window), String(users));
  const { port } = await phones.read<{ port: number }>();
  const between = await start(port);
  const report = (): Promise<Report> => {
    phones.order('report');
    return phones.read<Report>();
  };
  try {
    phones.order(`go ${between.port}`);
    let warm = 0;
    const counting = { on: true };
    const count = (async () => {
      while (counting.on) {
        warm = (await report()).operations;
        await sleep(20);
      }
    })();
    await warmUp(effort, () => warm);
    counting.on = false;
    await count;

    const [before, cpuBefore, began] = [await report(), await between.cpuMs(), performance.now()];
    await sleep(effort.measureMs);
    const [after, cpuAfter, ms] = [await report(), await between.cpuMs(), performance.now() - began];
    const operations = after.operations - before.operations;
    if (after.refused > 0) throw new Error(`${after.refused} REGISTERs were refused`);
    phones.order('stop');
    await phones.read<Report>();
    return {
      value: operations / ms,
      details: {
        operations,
        'ms/1000': ((cpuAfter - cpuBefore) / operations) * 1000,
        'p50 ms': after.p50,
        'p99 ms': after.p99,
        repetitions: after.repetitions - before.repetitions,
        // Well below 100, or it is the phones that were measured.
        'phones busy %': ((after.cpuUs - before.cpuUs) / 1000 / ms) * 100,
      },
    };
  } finally {
    await between.stop();
    await phones.stop();
  }
}

/** The same run, its value the CPU time: ours in all threads, Kamailio in all processes. */
export const cpuOf = async (sample: Promise<Sample>): Promise<Sample> => {
  const { value, details } = await sample;
  const { 'ms/1000': cpu, ...others } = details;
  return { value: cpu!, details: { 'k/s': value, ...others } };
};

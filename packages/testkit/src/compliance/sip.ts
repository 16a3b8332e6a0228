/**
 * What every SipPort must do, told by what the other side of the wire sees. For any test framework:
 *
 *   for (const { name, run } of sipPortCompliance(make)) test(name, run);
 */
import { dialogCases } from './sip-dialogs.js';
import { incomingCases, retransmissionCases } from './sip-incoming.js';
import { lifeCases } from './sip-life.js';
import { requestCases } from './sip-requests.js';
import { type MakeSipPort, quickClock, Scene, type SipPortTraits } from './sip-scene.js';

export interface ComplianceCase {
  readonly name: string;
  /** Rejects with an AssertionError of node:assert. */
  run(): Promise<void>;
}

/** A case before it knows its port; `quick`: on a clock that is so many times faster. */
export type SipCase = readonly [name: string, run: (scene: Scene) => Promise<void>, quick?: number];

export function sipPortCompliance(make: MakeSipPort, traits: SipPortTraits = {}): readonly ComplianceCase[] {
  const all: Required<SipPortTraits> = {
    transport: 'udp',
    countsCseq: false,
    passed: { NOTIFY: 481, MESSAGE: 405 },
    answersByItself: false,
    ...traits,
  };
  const retransmits = all.transport === 'udp' ? retransmissionCases : [];
  return [...requestCases, ...dialogCases, ...incomingCases, ...retransmits, ...lifeCases].map(
    ([name, run, quick]) => ({
      name,
      run: () => Scene.play(make, all, run, quick === undefined ? undefined : quickClock(quick)),
    }),
  );
}

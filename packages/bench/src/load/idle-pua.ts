/** A Pua with so many publications of which none is due for the next half hour, and no storage. */
import { type Clock, createPua, type Pua } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip, systemClock } from '@pua/sip';
import type { Row } from '../row.js';
import { KeptPublications } from './kept.js';

const LIFETIME = 3600;

export const MANY = 1_000_000;
export const FEW = 1_000;
/** A million documents do not fit into the usual heap. */
export const nodeOptions: NonNullable<Row['nodeOptions']> = ['--expose-gc', '--max-old-space-size=6144'];

export async function idlePua(records: number, clock: Clock = systemClock): Promise<Pua> {
  const pua = createPua({
    sip: embeddedSip({ listen: ['udp:127.0.0.1:0'], clock }),
    store: new KeptPublications(records, LIFETIME),
    outboundProxy: 'sip:127.0.0.1:9',
    // The sweep is measured by itself.
    updatePeriod: 0,
  });
  pua.addEvent(presence);
  await pua.start();
  // What making them has left would be collected in the middle of the measurement.
  global.gc!();
  return pua;
}

/** The embedded engine keeps the contract of SipPort. */
import { embeddedSip } from '@pua/sip';
import { sipPortCompliance } from '@pua/testkit';

describe('over UDP', () => {
  const cases = sipPortCompliance(async (clock) => ({
    port: embeddedSip({ listen: ['udp:127.0.0.1:0'], ...(clock ? { clock } : {}) }),
  }));
  for (const { name, run } of cases) test(name, run);
});

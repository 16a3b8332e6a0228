/** The embedded engine keeps the contract of SipPort. */
import { embeddedSip } from '@pua/sip';
import { sipPortCompliance } from '@pua/testkit';

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  const cases = sipPortCompliance(
    async (clock) => ({ port: embeddedSip({ listen: [`${transport}:127.0.0.1:0`], ...(clock ? { clock } : {}) }) }),
    { transport },
  );
  for (const { name, run } of cases) test(name, run);
});

/** Scenarios for sipp as the server: its n-th request, whatever call it is of, gets the n-th answer, later ones the last. */

export interface Answer {
  readonly status: number;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** The request is in a dialog: its To has a tag. */
  readonly within?: boolean;
}

export type Step = Answer | 'silence';

/** sipp tells calls apart by their Call-ID, and each PUBLISH has its own: so they are counted over all calls. */
export function scenario(method: string, steps: readonly Step[]): string {
  const chosen = steps.map((_, i) => jumpTo(i + 1)).join('\n');
  const answers = steps.map((step, i) => `<label id="${i + 1}"/>\n${step === 'silence' ? AGAIN : send(step)}`);
  return `<?xml version="1.0" encoding="ISO-8859-1"?>
<scenario name="${method}">
<Global variables="n"/>
<init><nop><action><assign assign_to="n" value="0"/></action></nop></init>
<label id="0"/>
<recv request="${method}"><action><add assign_to="n" value="1"/></action></recv>
${chosen}
<nop next="${steps.length}"/>
${answers.join('\n')}
</scenario>
`;
}

const AGAIN = '<nop next="0"/>';

const jumpTo = (n: number): string =>
  `<nop><action><test assign_to="is${n}" variable="n" compare="equal" value="${n}"/></action></nop>
<nop next="${n}" test="is${n}"/>`;

function send({ status, headers = [], within = false }: Answer): string {
  const lines = [
    `SIP/2.0 ${status} Reason`,
    '[last_Via:]',
    '[last_From:]',
    `[last_To:]${within ? '' : ';tag=[pid]s[call_number]'}`,
    '[last_Call-ID:]',
    '[last_CSeq:]',
    ...(status < 300 ? ['Contact: <sip:notifier@[local_ip]:[local_port]>'] : []),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    'Content-Length: 0',
  ];
  return `<send next="0"><![CDATA[\n\n${lines.join('\n')}\n\n]]></send>`;
}

/** Who has a phone in the demo. */

export const DOMAIN = 'demo.example';
export const CAROL = `sip:carol@${DOMAIN}`;
export const DAVE = `sip:dave@${DOMAIN}`;
/** Of the phones, for the registrar. */
export const ACCOUNTS = [
  { username: 'carol', password: 'not-a-secret-1' },
  { username: 'dave', password: 'not-a-secret-2' },
] as const;
/** Seconds without a sign of life after which the calls of a call server are over. */
export const HEARTBEAT = 3;

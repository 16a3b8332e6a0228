export type { SipPort } from '@pua/core';

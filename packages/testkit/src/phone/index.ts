export { type CallReason, type CallState, PhoneCall } from './call.js';
export { CallServer, type CallServerOptions } from './call-server.js';
export { type Field, Message } from './message.js';
export { Phone, type PhoneOptions, type RegisterOptions } from './phone.js';

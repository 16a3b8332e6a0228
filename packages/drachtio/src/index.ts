export type { ConnectingOptions, DrachtioSipOptions, SharedOptions } from './options.js';
export { type DrachtioSip, drachtioSip } from './port.js';

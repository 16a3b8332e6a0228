/** @module Where registrations and calls come from: sources for the companions usrloc, reginfo, dialoginfo and bla. */
export * from './location/index.js';
export * from './registrar/index.js';
export * from './tables/index.js';
export * from './webhook/index.js';

// Time limits only end what would never end: on a busy machine a second of work may take a minute.
module.exports = { ...require('../../jest.preset.cjs'), displayName: '@pua/sip', testTimeout: 60_000 };

module.exports = { ...require('../../jest.preset.cjs'), displayName: '@pua/usrloc' };

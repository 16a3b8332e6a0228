/** README.md says what the code says. */
import { REGINFO_PARAMETERS, reginfo } from '@pua/reginfo';
import { testReadme } from '../../core/test/support/readme';

const readme = testReadme(__dirname, REGINFO_PARAMETERS);

test('it names every method', () => {
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(reginfo()));
  const own = methods.filter((name) => !['constructor', 'setup', 'start', 'stop'].includes(name));
  expect(own.filter((name) => !readme.includes(`\`${name}(`))).toEqual([]);
});

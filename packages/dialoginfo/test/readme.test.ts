/** README.md says what the code says. */
import { DIALOGINFO_PARAMETERS } from '@pua/dialoginfo';
import { testReadme } from '../../core/test/support/readme';

testReadme(__dirname, DIALOGINFO_PARAMETERS);

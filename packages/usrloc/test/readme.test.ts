/** README.md says what the code says. */
import { USRLOC_PARAMETERS } from '@pua/usrloc';
import { testReadme } from '../../core/test/support/readme';

testReadme(__dirname, USRLOC_PARAMETERS);

import { postgres } from './databases';
import { suite } from './suite';

suite(postgres);

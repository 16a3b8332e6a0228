import { sqlite } from './databases';
import { suite } from './suite';

suite(sqlite);

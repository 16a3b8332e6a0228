import { storeCompliance } from './compliance';
import { sqliteFixture } from './sqlite-fixture';

storeCompliance('SQLite', sqliteFixture);

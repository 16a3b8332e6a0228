export { fullRow, publicationRow, RowHolder as Source, subscriptionRow } from '@pua/testkit';

/** The documents of a scene against the schemas of the RFCs. */
import { Namespace } from '@pua/documents';
import { complaints, describeWithSchemas, temporaryFolder } from '../../../../documents/test/xmllint';
import type { Scene } from './scene';

/** To be called last: it looks at what watchers have got by then. */
export function describeSchemas(scene: () => Scene): void {
  describeWithSchemas('the schemas of the RFCs', () => {
    const folder = temporaryFolder();
    test.each([
      ['presence', { [Namespace.PIDF]: 'pidf' }],
      ['dialog', { [Namespace.DIALOG_INFO]: 'dialog-info' }],
      ['reg', { [Namespace.REGINFO]: 'reginfo' }],
    ] as const)('have nothing against the documents of %s', (event, schemas) => {
      const documents = scene().documents(event);
      expect(documents).not.toHaveLength(0);
      expect(complaints(folder(), schemas, documents)).toBe('');
    });
  });
}

/** Calls of a body processor as the core makes them. */
import { type EventDefinition, type ProcessInput, type ProcessOutput, SourceFlag } from '@pua/core';

const nothingNew = () => {
  throw new Error('no new id is needed');
};

/** A document of nobody's in particular, with parameters off, the first version, nothing stored, and no new id at hand. */
export function runProcessor(event: EventDefinition, input: Partial<ProcessInput> & { body: string }): ProcessOutput {
  const parameters = { dlginfoIncreaseVersion: false, reginfoIncreaseVersion: false };
  const sourceFlag = SourceFlag.UL_PUBLISH;
  return event.process!({ version: 0, tupleId: null, newId: nothingNew, parameters, sourceFlag, ...input });
}

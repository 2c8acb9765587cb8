import { type AmfValue, readAmf0, writeAmf0 } from './amf0.ts';
import type { RtmpMessage } from './messages.ts';
import { MESSAGE } from './messages.ts';
import { RtmpError } from './rtmp-error.ts';

/** RTMP 1.0, section 7.1.1 and 7.2. */
export interface Command {
  readonly name: string;
  /** 0 when no answer is expected. */
  readonly transaction: number;
  /** The command object; null where there is none. */
  readonly object: AmfValue;
  readonly args: AmfValue[];
}

/**
 * @param message - of type commandAmf0 or commandAmf3
 * @throws RtmpError when it is none
 */
export function parseCommand(message: RtmpMessage): Command {
  const isAmf3 = message.type === MESSAGE.commandAmf3;
  if (!isAmf3 && message.type !== MESSAGE.commandAmf0)
    throw new Error(`A message of type ${message.type} is no command.`);
  const [name, transaction, object = null, ...args] = readValues(message.payload, isAmf3);
  if (typeof name !== 'string') throw new RtmpError('command', 'A command has no name.');
  if (typeof transaction !== 'number')
    throw new RtmpError('command', `The command ${JSON.stringify(name.slice(0, 40))} has no transaction ID.`);
  return { name, transaction, object, args };
}

/** @returns a command in AMF 0 without a timestamp */
export function commandMessage(
  name: string,
  transaction: number,
  object: AmfValue,
  args: readonly AmfValue[],
  streamId: number,
): RtmpMessage {
  const payload = writeAmf0(name, transaction, object, ...args);
  return { type: MESSAGE.commandAmf0, timestamp: 0, streamId, payload };
}

/**
 * How it stands with a stream (section 7.2.2).
 * @param code - such as NetStream.Publish.Start
 * @param extra - further properties
 */
export function statusMessage(
  streamId: number,
  level: 'status' | 'error',
  code: string,
  description: string,
  extra: { readonly [key: string]: AmfValue } = {},
): RtmpMessage {
  return commandMessage('onStatus', 0, null, [{ level, code, description, ...extra }], streamId);
}

/**
 * @param message - of type dataAmf0 or dataAmf3
 * @returns its values, the first of which mostly is a name: `@setDataFrame`, `onMetaData`
 * @throws RtmpError
 */
export function parseData(message: RtmpMessage): AmfValue[] {
  const isAmf3 = message.type === MESSAGE.dataAmf3;
  if (!isAmf3 && message.type !== MESSAGE.dataAmf0)
    throw new Error(`A message of type ${message.type} is no data.`);
  return readValues(message.payload, isAmf3);
}

/**
 * The messages for AMF 3 have AMF 0 too, of which values may switch to AMF 3; a byte before them says
 * so, and nobody has ever sent another.
 */
function readValues(payload: Buffer, isAmf3: boolean): AmfValue[] {
  if (!isAmf3) return readAmf0(payload);
  if (payload.length > 0 && payload[0] !== 0)
    throw new RtmpError('amf', `A message for AMF 3 begins with ${payload[0]} instead of 0.`);
  return readAmf0(payload, 1);
}

import type { AccessUnit } from './access-units.ts';
import { runFfmpeg } from './flv-clip.ts';

const IVF_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 12;

/** A moving test picture in VP8, as browsers send it: no hidden frames, one key frame at the beginning. */
export async function makeVp8Clip(size: string, seconds: number, rate = 30): Promise<AccessUnit[]> {
  const file = await runFfmpeg([
    ...['-hide_banner', '-nostdin', '-loglevel', 'error'],
    ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}`, '-t', String(seconds)],
    ...[
      '-c:v',
      'libvpx',
      '-threads',
      '1',
      '-deadline',
      'realtime',
      '-cpu-used',
      '8',
      '-lag-in-frames',
      '0',
      '-g',
      '100000',
    ],
    ...['-auto-alt-ref', '0', '-error-resilient', '1', '-b:v', '500k', '-f', 'ivf', '-'],
  ]);
  const units: AccessUnit[] = [];
  for (let at = IVF_HEADER_BYTES; at + FRAME_HEADER_BYTES <= file.length; ) {
    const start = at + FRAME_HEADER_BYTES;
    const end = start + file.readUInt32LE(at);
    const data = file.subarray(start, end);
    const timestampMs = Math.round((units.length * 1000) / rate);
    // RFC 6386, section 9.1: the lowest bit says that it is no key frame.
    units.push({ data, timestampMs, key: (data[0]! & 1) === 0, disposable: false });
    at = end;
  }
  return units;
}

import { Decoder, Encoder } from '@evan/opus';
import { A_LAW_TO_LINEAR, encodeALaw, encodeMuLaw, MU_LAW_TO_LINEAR } from '../../src/media/g711.ts';

export type CodecName = 'PCMU' | 'PCMA' | 'opus';

/** Turns 20 ms of samples into an RTP payload, and payloads into samples. */
export interface PhoneCodec {
  /** Samples a second; also the RTP clock rate. */
  readonly rate: number;
  encode(samples: Int16Array): Uint8Array;
  /** @throws on bytes that are no frame of this codec */
  decode(payload: Uint8Array): Int16Array;
}

/** Payload type that the phone offers, and what `a=rtpmap` says. Opus: RFC 7587, section 7. */
export const CODECS: Record<CodecName, { payloadType: number; rtpmap: string; rate: number }> = {
  PCMU: { payloadType: 0, rtpmap: 'PCMU/8000', rate: 8000 },
  PCMA: { payloadType: 8, rtpmap: 'PCMA/8000', rate: 8000 },
  opus: { payloadType: 111, rtpmap: 'opus/48000/2', rate: 48000 },
};

/** A codec with a state of its own: one for each direction of a call. */
export function createCodec(name: CodecName): PhoneCodec {
  switch (name) {
    case 'PCMU':
      return tableCodec(encodeMuLaw, MU_LAW_TO_LINEAR);
    case 'PCMA':
      return tableCodec(encodeALaw, A_LAW_TO_LINEAR);
    case 'opus':
      return opusCodec();
  }
}

function tableCodec(encode: (sample: number) => number, decoded: Int16Array): PhoneCodec {
  return {
    rate: 8000,
    encode: (samples) => Uint8Array.from(samples, encode),
    decode: (payload) => Int16Array.from(payload, (code) => decoded[code]!),
  };
}

function opusCodec(): PhoneCodec {
  const rate = 48000;
  const encoder = new Encoder({ channels: 1, sample_rate: rate, application: 'audio' });
  const decoder = new Decoder({ channels: 1, sample_rate: rate });
  return {
    rate,
    encode: (samples) => encoder.encode(samples),
    decode: (payload) => {
      const bytes = decoder.decode(payload).slice(); // aligned, and ours
      return new Int16Array(bytes.buffer, 0, bytes.length / 2);
    },
  };
}

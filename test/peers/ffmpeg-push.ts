import { EncoderProcess } from './encoder-process.ts';
import { type Encoding, encodingArguments } from './ffmpeg-encoding.ts';

/** Debian's ffmpeg as an RTMP encoder: a test picture and a tone, on real time. */
export class FfmpegPush extends EncoderProcess {
  /** Starts to push. Whether the server took it, the server knows; one that is refused ends with complaints. */
  static start(url: string, encoding: Encoding = {}): FfmpegPush {
    return new FfmpegPush('ffmpeg', [...encodingArguments(encoding, true), '-f', 'flv', url]);
  }
}

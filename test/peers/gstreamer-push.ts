import { EncoderProcess } from './encoder-process.ts';

export interface GstreamerEncoding {
  readonly video?:
    | 'none'
    | {
        /** Width x height in pixels; '640x360' if not said. */
        readonly size?: string;
        /** Frames a second; 30 if not said. */
        readonly rate?: number;
        /** Frames from one key frame to the next, at the most; 30 if not said. */
        readonly gop?: number;
        /** H.264 profile; 'baseline' if not said. */
        readonly profile?: 'baseline' | 'main' | 'high';
        /** 800 if not said. */
        readonly bitrateKbps?: number;
      };
  readonly audio?:
    | 'none'
    | {
        readonly toneHz: number;
        /** 48000 if not said. */
        readonly rate?: 44100 | 48000;
        /** 2 if not said. */
        readonly channels?: 1 | 2;
        /** 128 if not said. */
        readonly bitrateKbps?: number;
      };
}

/** GStreamer's rtmp2sink as an RTMP encoder: a test picture and a tone at half of full scale, on real time. */
export class GstreamerPush extends EncoderProcess {
  static start(url: string, encoding: GstreamerEncoding = {}): GstreamerPush {
    const { video = {}, audio = { toneHz: 440 } } = encoding;
    // With -e, SIGINT ends the stream instead of the process.
    const args = ['-e', '-q', 'flvmux', 'name=mux', 'streamable=true', '!', 'rtmp2sink', `location=${url}`];
    if (video !== 'none') {
      const { size = '640x360', rate = 30, gop = 30, profile = 'baseline', bitrateKbps = 800 } = video;
      const [width, height] = size.split('x');
      args.push(
        ...['videotestsrc', 'is-live=true', 'pattern=smpte', '!'],
        ...[`video/x-raw,format=I420,width=${width},height=${height},framerate=${rate}/1`, '!'],
        ...['x264enc', 'tune=zerolatency', 'speed-preset=ultrafast', 'bframes=0', 'threads=1'],
        ...[`key-int-max=${gop}`, `bitrate=${bitrateKbps}`, '!'],
        ...[`video/x-h264,profile=${profile}`, '!', 'h264parse', '!', 'queue', '!', 'mux.'],
      );
    }
    if (audio !== 'none') {
      const { toneHz, rate = 48000, channels = 2, bitrateKbps = 128 } = audio;
      args.push(
        ...['audiotestsrc', 'is-live=true', `freq=${toneHz}`, 'volume=0.5', '!'],
        ...[`audio/x-raw,rate=${rate},channels=${channels}`, '!', 'audioconvert', '!'],
        ...['voaacenc', `bitrate=${bitrateKbps * 1000}`, '!', 'aacparse', '!', 'queue', '!', 'mux.'],
      );
    }
    return new GstreamerPush('gst-launch-1.0', args);
  }
}

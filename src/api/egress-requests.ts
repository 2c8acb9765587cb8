import {
  AudioCodec,
  AudioMixing,
  type EncodingOptions,
  EncodingOptionsPreset,
  type ParticipantEgressRequest,
  type RoomCompositeEgressRequest,
  type StreamOutput,
  StreamProtocol,
  VideoCodec,
} from '@livekit/protocol';
import { PatchroomError } from '../base/errors.ts';
import type { ProgramSettings } from '../outputs/director.ts';

/** What LiveKit's requests to start an egress ask for: addresses, or a refusal of what would be ignored otherwise. */

const LAYOUTS = ['', 'single-speaker'];

/** Width and height in samples, pictures a second; undefined: something else than an encoding. */
const PRESETS: Record<EncodingOptionsPreset, readonly [number, number, number] | undefined> = {
  [EncodingOptionsPreset.H264_720P_30]: [1280, 720, 30],
  [EncodingOptionsPreset.H264_720P_60]: [1280, 720, 60],
  [EncodingOptionsPreset.H264_1080P_30]: [1920, 1080, 30],
  [EncodingOptionsPreset.H264_1080P_60]: [1920, 1080, 60],
  [EncodingOptionsPreset.PORTRAIT_H264_720P_30]: [720, 1280, 30],
  [EncodingOptionsPreset.PORTRAIT_H264_720P_60]: [720, 1280, 60],
  [EncodingOptionsPreset.PORTRAIT_H264_1080P_30]: [1080, 1920, 30],
  [EncodingOptionsPreset.PORTRAIT_H264_1080P_60]: [1080, 1920, 60],
  [EncodingOptionsPreset.PASSTHROUGH]: undefined,
};

/**
 * @param made - how programs are encoded
 * @returns the addresses, each once
 * @throws PatchroomError 'unimplemented' for what cannot be honoured, 'invalid-request' without an address
 */
export function roomAddresses(request: RoomCompositeEgressRequest, made: ProgramSettings): string[] {
  if (!LAYOUTS.includes(request.layout)) {
    throw unimplemented('layout', "The program shows one participant's picture: the layout single-speaker.");
  }
  if (request.customBaseUrl) throw unimplemented('custom_base_url', 'The program is not made of a web page.');
  const both = 'The program has sound and a picture.';
  if (request.audioOnly) throw unimplemented('audio_only', both);
  if (request.videoOnly) throw unimplemented('video_only', both);
  if (request.audioMixing !== AudioMixing.DEFAULT_MIXING) {
    throw unimplemented('audio_mixing', 'Everybody is heard on both sides: DEFAULT_MIXING.');
  }
  const { case: kind, value } = request.output;
  if (kind === 'file') throw notAStream('file');
  if (kind === 'segments') throw notAStream('segments');
  // Clients send the deprecated field beside the new one: it is the same output.
  const streams = request.streamOutputs.length === 0 && kind === 'stream' ? [value] : request.streamOutputs;
  return addresses(request, streams, made);
}

/** Like roomAddresses, of one participant. */
export function participantAddresses(request: ParticipantEgressRequest, made: ProgramSettings): string[] {
  if (!request.identity) throw new PatchroomError('invalid-request', 'The field identity is missing.');
  if (request.screenShare) {
    throw unimplemented(
      'screen_share',
      'A screen is shown before a camera where the participant shares one.',
    );
  }
  return addresses(request, request.streamOutputs, made);
}

function addresses(
  request: RoomCompositeEgressRequest | ParticipantEgressRequest,
  streams: readonly StreamOutput[],
  made: ProgramSettings,
): string[] {
  if (request.fileOutputs.length > 0) throw notAStream('file_outputs');
  if (request.segmentOutputs.length > 0) throw notAStream('segment_outputs');
  if (request.imageOutputs.length > 0) throw notAStream('image_outputs');
  if (request.webhooks.length > 0) throw unimplemented('webhooks', 'Ask ListEgress how an egress is doing.');
  mustBeMade(request.options, made);
  for (const { protocol } of streams) {
    if (protocol !== StreamProtocol.RTMP && protocol !== StreamProtocol.DEFAULT_PROTOCOL) {
      throw unimplemented(
        `protocol ${StreamProtocol[protocol] ?? protocol}`,
        'Streams go out by RTMP and RTMPS.',
      );
    }
  }
  const found = new Set(streams.flatMap(({ urls }) => urls));
  if (found.size === 0) {
    throw new PatchroomError(
      'invalid-request',
      'An address is needed: stream_outputs with urls such as rtmp://live.example.com/app/stream-key.',
    );
  }
  return [...found];
}

/** Options that say what is made anyway are honoured by making it. */
function mustBeMade(options: RoomCompositeEgressRequest['options'], made: ProgramSettings): void {
  const { width, height, frameRate } = made.encoding;
  const there = `There is one encoding, ${width}x${height} with ${frameRate} frames a second: omit the encoding options.`;
  if (options.case === 'preset') {
    const [presetWidth, presetHeight, presetFrameRate] = PRESETS[options.value] ?? [];
    if (presetWidth === width && presetHeight === height && presetFrameRate === frameRate) return;
    throw unimplemented(`preset ${EncodingOptionsPreset[options.value] ?? Number(options.value)}`, there);
  }
  if (options.case !== 'advanced') return;
  const fields = advancedOptions(made);
  for (const { localName, name } of options.value.getType().fields.list()) {
    const field = localName as keyof EncodingOptions;
    // 0 stands for not said.
    const wanted = options.value[field];
    if (wanted && wanted !== fields[field]) throw unimplemented(`advanced.${name}`, there);
  }
}

/** What is made, in LiveKit's words. */
function advancedOptions({ encoding, audioBitrateBps }: ProgramSettings): Partial<EncodingOptions> {
  return {
    width: encoding.width,
    height: encoding.height,
    depth: 24,
    framerate: encoding.frameRate,
    videoCodec: VideoCodec.H264_MAIN,
    videoBitrate: encoding.bitrateBps / 1000,
    keyFrameInterval: encoding.keyFrameSeconds,
    audioCodec: AudioCodec.AAC,
    audioBitrate: audioBitrateBps / 1000,
    audioFrequency: 48_000,
  };
}

function notAStream(field: string): PatchroomError {
  return unimplemented(field, 'Only streams by RTMP and RTMPS are there: stream_outputs.');
}

/** @param there - what there is instead, in a sentence */
function unimplemented(what: string, there: string): PatchroomError {
  return new PatchroomError('unimplemented', `The server does not implement ${what}. ${there}`);
}

import type { GatewayModule } from '../../src/gateway.ts';
import { RtmpGateway } from './gateway.ts';
import { messages } from './messages.ts';
import { type RtmpOptions, rtmpOptions } from './options.ts';

/** OBS and other encoders. */
export const rtmp: GatewayModule<RtmpOptions> = {
  name: 'rtmp',
  options: rtmpOptions,
  create: (host, options) => new RtmpGateway(host, options),
  media: { url: new URL('./media.ts', import.meta.url), messages },
};

import type { GatewayModule } from '../../src/gateway.ts';
import { WebRtcGateway } from './gateway.ts';
import { type WebRtcOptions, webrtcOptions } from './options.ts';

export const webrtc: GatewayModule<WebRtcOptions> = {
  name: 'webrtc',
  options: webrtcOptions,
  create: (host, options) => new WebRtcGateway(host, options),
};

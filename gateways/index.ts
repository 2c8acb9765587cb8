import type { GatewayModule } from '../src/gateway.ts';
import { rtmp } from './rtmp/index.ts';
import { sip } from './sip/index.ts';
import { webrtc } from './webrtc/index.ts';

/** The built-in gateways. */
export const gateways: readonly GatewayModule[] = [webrtc, sip, rtmp];

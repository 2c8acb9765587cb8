import type { GatewayModule } from '../../src/gateway.ts';
import { SipGateway } from './gateway.ts';
import { messages } from './media/messages.ts';
import { type SipOptions, sipOptions } from './options.ts';

export const sip: GatewayModule<SipOptions> = {
  name: 'sip',
  options: sipOptions,
  create: (host, options) => new SipGateway(host, options),
  media: { url: new URL('./media.ts', import.meta.url), messages },
};

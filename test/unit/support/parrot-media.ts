import { z } from 'zod';
import { PatchroomError } from '../../../src/base/errors.ts';
import type { MediaModule } from '../../../src/workers/media-module.ts';

const request = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('say'), text: z.string() }),
  z.strictObject({ type: z.literal('refuse') }),
  z.strictObject({ type: z.literal('break') }),
  z.strictObject({ type: z.literal('ignore') }),
  z.strictObject({ type: z.literal('notify'), body: z.unknown() }),
  z.strictObject({ type: z.literal('receive'), link: z.string(), ssrc: z.int() }),
  z.strictObject({ type: z.literal('send'), link: z.string(), packet: z.instanceof(Uint8Array) }),
  /** Repeats what it hears on the connection that comes with it. */
  z.strictObject({ type: z.literal('repeat') }),
]);
const reply = z.strictObject({ said: z.string().optional() });
const notice = z.strictObject({ text: z.string() });

export type Request = z.infer<typeof request>;
export type Reply = z.infer<typeof reply>;
export type Notice = z.infer<typeof notice>;

/** A gateway's media half for tests: does as it is told. */
const parrot: MediaModule<Request, Reply, Notice> = {
  messages: { request, reply, notice },
  create: (host) => ({
    async handle(wanted, socket) {
      switch (wanted.type) {
        case 'say':
          return { said: wanted.text };
        case 'refuse':
          throw new PatchroomError('codec-refused', 'The parrot does not like it.');
        case 'break':
          throw new TypeError('private detail');
        case 'ignore':
          return new Promise(() => {});
        case 'notify':
          host.notify(wanted.body as Notice);
          return {};
        case 'receive':
          host.link(wanted.link).onClose(() => host.notify({ text: 'closed' }));
          host
            .link(wanted.link)
            .receive(wanted.ssrc, (packet) => host.notify({ text: packet.toString('hex') }));
          return {};
        case 'send':
          host.link(wanted.link).send(Buffer.from(wanted.packet));
          return {};
        case 'repeat':
          if (!socket) return { said: 'nothing came with it' };
          socket.on('error', () => {});
          socket.pipe(socket);
          return { said: 'listening' };
      }
    },
    async close() {},
  }),
};
export default parrot;

import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GatewayModule } from '../../src/gateway.ts';
import type { Server } from '../../src/server.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';

/** Somebody who came in through the gateway's own protocol. */
export interface ContractPeer {
  /** Begins to publish, and goes on if the media plane is replaced. */
  publish(): Promise<void>;
  /** Resolves when it gets what that participant publishes. */
  receives(name: string): Promise<void>;
  /** Says goodbye in its protocol. */
  leave(): Promise<void>;
  /** Is gone without a word, as by a power cut. */
  vanish(): Promise<void>;
  /** Resolves with what its protocol tells it about being put out. */
  toldToGo(): Promise<string>;
}

/** Where a gateway's sink brings programs to. */
export interface DialledServer {
  /** With what lets somebody in there. */
  readonly address: string;
  /** Whether something of the program has arrived there. */
  arrived(): boolean;
  /** Whether it was told that it is over, so that nothing of it stays there. */
  isOver(): boolean;
  close(): Promise<void>;
}

/** What a gateway's sink is tested with, for those that have one. */
export interface Dialling {
  /** Starts a server of the real kind. */
  answering(): Promise<DialledServer>;
  /** What lets somebody in, in every address here: must not be shown. */
  readonly secret: string;
  /** Where nobody answers. */
  unanswered(): Promise<string>;
  /** No address. */
  readonly malformed: string;
}

/** What the suite needs to know of a gateway. */
export interface GatewayUnderTest {
  readonly name: string;
  readonly modules: readonly GatewayModule[];
  /** Config sections, with port 0 everywhere. */
  readonly sections: Readonly<Record<string, unknown>>;
  connect(server: Server, room: string, name: string): Promise<ContractPeer>;
  /** Tries to join where it may not. @returns what it is told in its own protocol */
  refused(server: Server): Promise<string>;
  readonly refusal: RegExp;
  /** What is done to bring one peer's track to another; passed through unless something else is said. */
  readonly outcome?: 'pass-through' | 'transcode';
  /** Ports that the gateway listens on while it runs: must be refused or silent once it stopped. */
  ports(server: Server): Promise<number[]>;
  /** Whether something still listens there. */
  listens(port: number): Promise<boolean>;
  readonly dialling?: Dialling;
  readonly close?: () => Promise<void>;
}

/** What every gateway owes its users and the core. */
export function contractSuite(gateway: GatewayUnderTest): void {
  describe(`gateway ${gateway.name}`, () => {
    let server: Server;
    beforeAll(async () => {
      server = await startServer({ gateways: gateway.modules, sections: gateway.sections });
    });
    afterAll(async () => {
      await server.stop();
      await gateway.close?.();
    });

    test('a peer that joins is a participant of the room it asked for', async () => {
      const peer = await gateway.connect(server, 'joining', 'Ann');
      const participant = await participantNamed(await roomNamed(server, 'joining'), 'Ann');
      expect(participant.gateway).toBe(gateway.name);
      await peer.leave();
    });

    test('what one publishes, another gets, and the room knows both the track and the subscription', async () => {
      const ann = await gateway.connect(server, 'talking', 'Ann');
      const bob = await gateway.connect(server, 'talking', 'Bob');
      await ann.publish();
      await bob.receives('Ann');
      const room = await roomNamed(server, 'talking');
      const [track] = (await participantNamed(room, 'Ann')).tracks.values();
      const subscription = (await participantNamed(room, 'Bob')).subscriptions.get(track!.sid);
      expect(subscription?.plan.outcome).toBe(gateway.outcome ?? 'pass-through');
      expect(subscription?.plan.reason).not.toBe('');
      await Promise.all([ann.leave(), bob.leave()]);
    });

    test('a peer that says goodbye leaves the room, and its tracks with it', async () => {
      const peer = await gateway.connect(server, 'leaving', 'Ann');
      const room = await roomNamed(server, 'leaving');
      await peer.publish();
      const left = once(room, 'participantLeft');
      await peer.leave();
      const [, reason] = await left;
      expect(reason).toBe('left');
      expect(room.tracks).toEqual([]);
      const hub = await server.plane.hub(room);
      await expect.poll(() => hub.producerCount).toBe(0);
    });

    test('a peer that vanishes is noticed', async () => {
      const peer = await gateway.connect(server, 'vanishing', 'Ann');
      const room = await roomNamed(server, 'vanishing');
      const left = once(room, 'participantLeft');
      await peer.vanish();
      const [, reason] = await left;
      expect(reason).toBe('connection-lost');
    });

    test('a peer that the room removes is told so in its protocol', async () => {
      const peer = await gateway.connect(server, 'removing', 'Ann');
      const told = peer.toldToGo();
      (await participantNamed(await roomNamed(server, 'removing'), 'Ann')).leave('removed');
      expect(await told).toMatch(/removed/i);
    });

    test('a peer that may not come in is told why in its protocol', async () => {
      expect(await gateway.refused(server)).toMatch(gateway.refusal);
    });

    test('when the process that carries the room is killed, what was published comes back by itself', async () => {
      const ann = await gateway.connect(server, 'surviving', 'Ann');
      const bob = await gateway.connect(server, 'surviving', 'Bob');
      await ann.publish();
      await bob.receives('Ann');
      const room = await roomNamed(server, 'surviving');
      const participant = await participantNamed(room, 'Ann');
      const [before] = participant.tracks.values();
      await server.plane.hub(room); // open, whether or not anybody needed it so far
      const lost = once(room, 'mediaLost');
      process.kill(server.plane.placement(room).hubWorkerPid!, 'SIGKILL');
      await lost;
      await publishing(participant, 1);
      const [after] = participant.tracks.values();
      expect(after!.sid).not.toBe(before!.sid);
      await bob.receives('Ann');
      await Promise.all([ann.leave(), bob.leave()]);
    });

    test('stop ends its legs and frees its ports', async () => {
      const own = await startServer({ gateways: gateway.modules, sections: gateway.sections });
      const peer = await gateway.connect(own, 'stopping', 'Ann');
      const ports = await gateway.ports(own);
      expect(await Promise.all(ports.map(gateway.listens))).toEqual(ports.map(() => true));
      const told = peer.toldToGo();
      await own.stop();
      await told;
      expect(await Promise.all(ports.map(gateway.listens))).toEqual(ports.map(() => false));
    });

    const { dialling } = gateway;
    describe.skipIf(!dialling)('its sink', () => {
      test('brings the program there, and when it ends, says so', async () => {
        const there = await dialling!.answering();
        const room = server.rooms.open('dialling');
        const output = await server.outputs.start(room, { type: 'room' }, [there.address]);
        await expect.poll(() => output.destinations[0]!.report.state).toBe('live');
        await expect.poll(() => there.arrived()).toBe(true);
        await expect.poll(() => output.destinations[0]!.report.originUs).toBeGreaterThanOrEqual(0);
        expect(output.destinations[0]!.shownAddress).not.toContain(dialling!.secret);
        await server.outputs.stop(output.id);
        expect(output.status).toBe('complete');
        await expect.poll(() => there.isOver()).toBe(true);
        await there.close();
      });

      test('goes on trying where nobody answers, says why without what is secret, and can be ended', async () => {
        const room = server.rooms.open('trying');
        const output = await server.outputs.start(room, { type: 'room' }, [await dialling!.unanswered()]);
        await expect.poll(() => output.destinations[0]!.report.retries).toBeGreaterThan(1);
        const { report, shownAddress } = output.destinations[0]!;
        expect(report.reason).not.toBe('');
        expect(report.reason + shownAddress).not.toContain(dialling!.secret);
        await server.outputs.stop(output.id);
        expect(output.status).toBe('aborted');
      });

      test('refuses what is no address in a sentence, and nothing of it stays', async () => {
        const room = server.rooms.open('refusing');
        const before = server.outputs.all.length;
        const start = server.outputs.start(room, { type: 'room' }, [dialling!.malformed]);
        await expect(start).rejects.toMatchObject({ code: 'invalid-request' });
        await expect(start).rejects.not.toThrow(dialling!.secret);
        expect(server.outputs.all.length).toBe(before);
      });

      test('ends what it delivers when the server stops, and says so there', async () => {
        const there = await dialling!.answering();
        const own = await startServer({ gateways: gateway.modules, sections: gateway.sections });
        const output = await own.outputs.start(own.rooms.open('ending'), { type: 'room' }, [there.address]);
        await expect.poll(() => output.destinations[0]!.report.state).toBe('live');
        await expect.poll(() => there.arrived()).toBe(true);
        await own.stop();
        expect(output.status).toBe('complete');
        await expect.poll(() => there.isOver()).toBe(true);
        await there.close();
      });
    });
  });
}

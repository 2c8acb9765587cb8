import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { PatchroomError } from '../base/errors.ts';
import type { RoomGrant, VideoGrant } from '../room/grants.ts';
import { EVERYDAY_PERMISSIONS, type Permissions } from '../room/permissions.ts';
import type { TrackPurpose } from '../room/vocabulary.ts';

/** LiveKit's names for what a track is for, as they stand in tokens, and ours. */
const SOURCES: Record<string, TrackPurpose> = {
  camera: 'camera',
  microphone: 'voice',
  screen_share: 'screen',
  screen_share_audio: 'screen-audio',
};

const videoGrant = z.looseObject({
  roomCreate: z.boolean().optional(),
  roomList: z.boolean().optional(),
  roomAdmin: z.boolean().optional(),
  roomJoin: z.boolean().optional(),
  roomRecord: z.boolean().optional(),
  room: z.string().optional(),
  canPublish: z.boolean().optional(),
  canSubscribe: z.boolean().optional(),
  canPublishSources: z.array(z.string()).optional(),
  canUpdateOwnMetadata: z.boolean().optional(),
  hidden: z.boolean().optional(),
  recorder: z.boolean().optional(),
});

const claims = z.looseObject({
  iss: z.string(),
  sub: z.string().max(256).optional(),
  name: z.string().max(256).optional(),
  metadata: z.string().max(65_536).optional(),
  attributes: z.record(z.string(), z.string()).optional(),
  video: videoGrant.optional(),
  roomConfig: z
    .looseObject({
      emptyTimeout: z.number().nonnegative().optional(),
      departureTimeout: z.number().nonnegative().optional(),
      maxParticipants: z.int().nonnegative().optional(),
      metadata: z.string().optional(),
      egress: z.unknown().optional(),
      agents: z.array(z.unknown()).optional(),
    })
    .optional(),
});

/** Checks LiveKit's access tokens: JWTs of one of our API keys (`iss`), signed with its secret (HS256). */
export class TokenVerifier {
  #keys: ReadonlyMap<string, Uint8Array>;

  /** @param keys - API key to secret */
  constructor(keys: Readonly<Record<string, string>>) {
    this.#keys = new Map(
      Object.entries(keys).map(([key, secret]) => [key, new TextEncoder().encode(secret)]),
    );
  }

  /** @throws PatchroomError 'unauthenticated', saying what is wrong with the token but nothing of its content */
  async verify(token: string): Promise<RoomGrant> {
    const { payload } = await jwtVerify(
      token,
      (_header, jws) => {
        const issuer = issuerOf(jws.payload);
        const secret = this.#keys.get(issuer);
        if (!secret)
          throw new PatchroomError(
            'unauthenticated',
            'The token is of an API key that this server does not know.',
          );
        return secret;
      },
      { algorithms: ['HS256'], clockTolerance: 10, requiredClaims: ['exp'] },
    ).catch((error: unknown) => {
      throw error instanceof PatchroomError
        ? error
        : new PatchroomError('unauthenticated', sentenceFor(error));
    });
    const parsed = claims.safeParse(payload);
    if (!parsed.success) throw new PatchroomError('unauthenticated', 'The token has claims of a wrong form.');
    const { egress, agents } = parsed.data.roomConfig ?? {};
    if (egress || agents?.length) {
      throw new PatchroomError(
        'unimplemented',
        'The token asks for egress or agents, which this server does not have.',
      );
    }
    return toGrant(parsed.data);
  }
}

/** Makes a token that a TokenVerifier with the same key accepts. @param lifetimeSeconds - from now */
export function createToken(
  key: string,
  secret: string,
  grant: { identity: string; name?: string; video: VideoGrant },
  lifetimeSeconds: number,
): Promise<string> {
  return new SignJWT({ name: grant.name, video: grant.video })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(key)
    .setSubject(grant.identity)
    .setNotBefore('0s')
    .setExpirationTime(`${lifetimeSeconds}s`)
    .sign(new TextEncoder().encode(secret));
}

function toGrant(token: z.infer<typeof claims>): RoomGrant {
  const video = token.video ?? {};
  const config = token.roomConfig ?? {};
  return {
    video,
    identity: token.sub ?? '',
    name: token.name ?? '',
    metadata: token.metadata ?? '',
    attributes: token.attributes ?? {},
    permissions: toPermissions(video),
    roomOptions: {
      ...(config.emptyTimeout ? { emptyTimeoutMs: config.emptyTimeout * 1000 } : {}),
      ...(config.departureTimeout ? { departureTimeoutMs: config.departureTimeout * 1000 } : {}),
      ...(config.maxParticipants ? { maxParticipants: config.maxParticipants } : {}),
    },
    roomMetadata: config.metadata ?? '',
  };
}

/** LiveKit's rule: publishing and subscribing are permitted unless denied; listed sources permit those only. */
function toPermissions(video: VideoGrant): Permissions {
  const sources = video.canPublishSources ?? [];
  return {
    ...EVERYDAY_PERMISSIONS,
    publish: video.canPublish ?? true,
    ...(sources.length > 0 ? { publishPurposes: sources.flatMap((source) => SOURCES[source] ?? []) } : {}),
    subscribe: video.canSubscribe ?? true,
    updateOwn: video.canUpdateOwnMetadata ?? false,
    hidden: (video.hidden ?? false) || (video.recorder ?? false),
    admin: video.roomAdmin ?? false,
  };
}

/** The `iss` of a token that isn't verified yet: it only selects the key to verify with. */
function issuerOf(payload: string | Uint8Array): string {
  try {
    const { iss } = JSON.parse(Buffer.from(String(payload), 'base64url').toString()) as { iss?: unknown };
    return typeof iss === 'string' ? iss : '';
  } catch {
    return '';
  }
}

function sentenceFor(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.';
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf')
    return 'The token is not valid yet.';
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return 'The token is not signed with the secret of its API key.';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `The token lacks or misstates the claim ${error.claim}.`;
  return 'This is no access token.';
}

import type { MediaLink } from '../../src/media/media-link.ts';

/** Where a stream goes on the hub. */
export interface HubTarget {
  readonly link: MediaLink;
  readonly ssrc: number;
  readonly payloadType: number;
}

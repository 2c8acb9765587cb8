import { describe, expect, test } from 'vitest';
import { canPublish, EVERYDAY_PERMISSIONS, mustBeAbleToPublish } from '../../../src/room/permissions.ts';
import { TRACK_PURPOSES } from '../../../src/room/vocabulary.ts';
import { refusal } from '../support/refusal.ts';

describe('what may be published', () => {
  test.each([
    ['everything by default', {}, TRACK_PURPOSES],
    ['only the purposes that are listed', { publishPurposes: ['voice', 'screen'] }, ['voice', 'screen']],
    ['nothing with an empty list', { publishPurposes: [] }, []],
    ['nothing without permission to publish', { publish: false }, []],
    ['nothing without permission, whatever is listed', { publish: false, publishPurposes: ['voice'] }, []],
    ['nothing by the hidden', { hidden: true }, []],
  ] as const)('%s', (_, change, permitted) => {
    const permissions = { ...EVERYDAY_PERMISSIONS, ...change };
    expect(TRACK_PURPOSES.filter((purpose) => canPublish(permissions, purpose))).toEqual(permitted);
  });
});

test('what may not be published is refused by name', () => {
  const permissions = { ...EVERYDAY_PERMISSIONS, publishPurposes: ['voice'] as const };
  expect(() => mustBeAbleToPublish(permissions, 'screen')).toThrow(refusal('forbidden'));
  expect(() => mustBeAbleToPublish(permissions, 'screen')).toThrow('publish screen');
  expect(() => mustBeAbleToPublish(permissions, 'voice')).not.toThrow();
});

test('by default nobody is hidden, administrates or renames himself', () => {
  expect(EVERYDAY_PERMISSIONS).toMatchObject({ hidden: false, admin: false, updateOwn: false });
});

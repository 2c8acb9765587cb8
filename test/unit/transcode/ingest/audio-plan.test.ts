import { expect, test } from 'vitest';
import { planAudio } from '../../../../transcode/ingest/audio-plan.ts';

test.each(['AAC', 'MP3'])('%s becomes Opus', (codec) => {
  expect(planAudio('OBS', codec)).toEqual({
    outcome: 'transcode',
    reason: `browsers and phones do not take ${codec}`,
    steps: [
      { action: 'decode', detail: codec },
      { action: 'encode', detail: 'opus, once for all' },
    ],
  });
});

test.each(['PCM', 'G711A', 'G711U', 'Speex', 'Nellymoser', 'other', ''])('%s is refused', (codec) => {
  const { outcome, reason, steps } = planAudio('OBS', codec);
  expect([outcome, steps]).toEqual(['refused', []]);
  expect(reason).toBe(`OBS sends ${codec} sound, which is not taken: set the audio encoder to AAC`);
});

import { expect, test } from 'vitest';
import { planAudio, refuseAudio } from '../../../../transcode/ingest/audio-plan.ts';

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

test.each(['PCMA', 'PCMU', 'opus'])('%s passes through', (codec) => {
  expect(planAudio('OBS', codec)).toEqual({
    outcome: 'pass-through',
    reason: 'browsers take it as it is',
    steps: [],
  });
});

test.each(['PCM', 'ADPCM', 'Speex', 'Nellymoser', 'FLAC', 'unknown', ''])('%s is refused', (codec) => {
  const refusal = planAudio('OBS', codec);
  expect([refusal.outcome, refusal.steps]).toEqual(['refused', []]);
  expect(refusal.reason).toBe(`OBS sends ${codec} audio, which is not taken: set the audio encoder to AAC`);
  expect(refuseAudio('OBS', codec)).toEqual(refusal);
});

test('what is refused for what is the matter with it says so', () => {
  expect(refuseAudio('OBS', 'AAC', 'without its configuration')).toEqual({
    outcome: 'refused',
    reason: 'OBS sends AAC without its configuration, so that it cannot be decoded',
    steps: [],
  });
});

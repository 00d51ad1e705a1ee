// Short tones: what a scan met, for people whose eyes are on the shelf.
const TONES = { hit: [[1_320, 0, 0.07]], unknown: [[330, 0, 0.11], [262, 0.13, 0.16]] };
let sound = null;

/** A short tone: "hit" for a code that is known, "unknown" for one that is not. Silent where sound is not allowed. */
export function tone(kind) {
  try {
    sound ??= new AudioContext();
    if (sound.state === 'suspended') sound.resume().catch(() => {});
    for (const [pitch_hz, after_s, lasts_s] of TONES[kind] ?? []) {
      const source = sound.createOscillator();
      const volume = sound.createGain();
      const start = sound.currentTime + after_s;
      source.type = kind === 'hit' ? 'sine' : 'triangle';
      source.frequency.value = pitch_hz;
      volume.gain.setValueAtTime(0.12, start);
      volume.gain.exponentialRampToValueAtTime(0.001, start + lasts_s);
      source.connect(volume).connect(sound.destination);
      source.start(start);
      source.stop(start + lasts_s);
    }
  } catch {
    // A computer without sound says it on the page.
  }
}

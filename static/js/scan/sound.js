// A short tone and a buzz for each answer, so that eyes can stay on the bag. Browsers allow sound
// only after the page was touched once; until then there is the buzz, or nothing.

const TONES = { good: [[880, 0.12]], warn: [[440, 0.12], [440, 0.12]], bad: [[220, 0.35]] };
const BUZZES = { good: [60], warn: [60, 80, 60], bad: [300] };

let audio = null;

document.addEventListener("pointerdown", () => {
  audio ??= "AudioContext" in window ? new AudioContext() : null;
}, { once: true });

export function sound(tone) {
  if (!(tone in TONES)) return;
  navigator.vibrate?.(BUZZES[tone]);
  if (audio?.state !== "running") return;
  let at = audio.currentTime;
  for (const [pitch, length] of TONES[tone]) {
    const voice = audio.createOscillator();
    const volume = audio.createGain();
    voice.frequency.value = pitch;
    volume.gain.setValueAtTime(0.12, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + length);
    voice.connect(volume).connect(audio.destination);
    voice.start(at);
    voice.stop(at + length);
    at += length + 0.06;
  }
}

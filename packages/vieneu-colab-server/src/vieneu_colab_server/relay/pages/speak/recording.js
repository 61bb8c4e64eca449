/** Recording of a voice: read here, so that any format of the browser's can be used. */

import { Mistake } from "./errors.js";
import { wavOf } from "./wav.js";

const RATE_HZ = 24_000;
const MAX_FILE_BYTES = 64 << 20;

/** Return a file's sound as base64 of a WAV file. Throws Mistake where that fails. */
export async function recordingOf(file, maxSeconds) {
  if (file.size > MAX_FILE_BYTES) throw new Mistake("reference.unreadable");
  let sound;
  try {
    const context = new OfflineAudioContext(1, 1, RATE_HZ);
    sound = await context.decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Mistake("reference.unreadable");
  }
  if (sound.duration > maxSeconds) {
    const seconds = Math.ceil(sound.duration * 10) / 10;
    throw new Mistake("reference.too_long", { seconds, most: maxSeconds });
  }
  return base64(await wavOf([mixed(sound)], RATE_HZ).arrayBuffer());
}

function mixed(sound) {
  const channels = Array.from({ length: sound.numberOfChannels }, (_, i) => sound.getChannelData(i));
  return Int16Array.from({ length: sound.length }, (_, at) => {
    const mean = channels.reduce((sum, channel) => sum + channel[at], 0) / channels.length;
    return Math.round(Math.max(-1, Math.min(1, mean)) * 32_767);
  });
}

function base64(buffer) {
  const bytes = new Uint8Array(buffer);
  let letters = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    letters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(letters);
}

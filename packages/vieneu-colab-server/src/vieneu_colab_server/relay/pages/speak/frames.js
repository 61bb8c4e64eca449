/** Decoder of the relay's framed audio; docs/wire.md describes it. */

import { ConnectionLost, Problem } from "../shared/api.js";

export const FRAMES = "application/vnd.vieneu.frames+pcm";
export const START = 1, SENTENCE = 2, AUDIO = 3, SENTENCE_END = 4, ERROR = 5, END = 6;
const HEADER_BYTES = 13;
const MAX_PAYLOAD_BYTES = 1 << 20;
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest >>> 0;
});

/**
 * Yield the frames of an answer: {type, sentence, content}; audio is an Int16Array.
 *
 * Throws Problem where the relay says that it failed, ConnectionLost where the end is missing.
 */
export async function* frames(answer, signal) {
  const reader = answer.body.getReader();
  let held = new Uint8Array(0);
  let isComplete = false;
  try {
    for (;;) {
      const { done, value } = await next(reader, signal);
      if (done && isComplete) return;
      if (done) throw new ConnectionLost();
      held = joined(held, value);
      let size;
      while ((size = frameSize(held)) !== null && held.length >= size) {
        const frame = decoded(held.subarray(0, size));
        held = held.subarray(size);
        if (frame.type === ERROR) throw new Problem(frame.content);
        isComplete = frame.type === END;
        yield frame;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function next(reader, signal) {
  try {
    return await reader.read();
  } catch (error) {
    throw signal.aborted ? error : new ConnectionLost();
  }
}

function joined(first, second) {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function frameSize(bytes) {
  if (bytes.length < HEADER_BYTES) return null;
  const length = viewOf(bytes).getUint32(5);
  if (length > MAX_PAYLOAD_BYTES) throw new Error("not a frame");
  return HEADER_BYTES + length;
}

function decoded(bytes) {
  const view = viewOf(bytes);
  const type = view.getUint8(0);
  const payload = bytes.subarray(HEADER_BYTES);
  if (type < START || type > END || crc(bytes.subarray(0, 5), payload) !== view.getUint32(9)) {
    throw new Error("a damaged frame");
  }
  const content = type === AUDIO ? samplesOf(payload) : JSON.parse(new TextDecoder().decode(payload));
  return { type, sentence: view.getUint32(1), content };
}

function samplesOf(payload) {
  const view = viewOf(payload);
  return Int16Array.from({ length: payload.length >> 1 }, (_, i) => view.getInt16(2 * i, true));
}

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function crc(...parts) {
  let rest = 0xffffffff;
  for (const part of parts) {
    for (const byte of part) rest = CRC[(rest ^ byte) & 0xff] ^ (rest >>> 8);
  }
  return (rest ^ 0xffffffff) >>> 0;
}

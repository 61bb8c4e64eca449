/** WAV files of mono 16-bit samples. */

/** Return a WAV file as a Blob. */
export function wavOf(pieces, rateHz) {
  const nBytes = pieces.reduce((sum, piece) => sum + 2 * piece.length, 0);
  const header = new DataView(new ArrayBuffer(44));
  const letters = (at, word) => [...word].forEach((c, i) => header.setUint8(at + i, c.charCodeAt(0)));
  letters(0, "RIFF");
  header.setUint32(4, 36 + nBytes, true);
  letters(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true);
  header.setUint32(24, rateHz, true);
  header.setUint32(28, 2 * rateHz, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  letters(36, "data");
  header.setUint32(40, nBytes, true);
  return new Blob([header, samplesOf(pieces)], { type: "audio/wav" });
}

/** Return samples as a Blob, little-endian on every machine. */
export function samplesOf(pieces) {
  const nSamples = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const view = new DataView(new ArrayBuffer(2 * nSamples));
  let at = 0;
  for (const piece of pieces) {
    for (const sample of piece) {
      view.setInt16(at, sample, true);
      at += 2;
    }
  }
  return new Blob([view]);
}

/** Let the browser save a Blob as a file. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

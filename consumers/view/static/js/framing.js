// What the server sends as one piece: four bytes of length, a header in JSON, and what belongs to it.

const text = new TextDecoder();

/** The header that begins at `at`, and where it ends. */
export function headerAt(buffer, at = 0) {
  const length = new DataView(buffer).getUint32(at);
  const start = at + 4;
  return { header: JSON.parse(text.decode(new Uint8Array(buffer, start, length))), end: start + length };
}

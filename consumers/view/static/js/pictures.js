// Pictures of encoded bytes, as a canvas draws them.

/**
 * What drawImage takes, to be closed when it is drawn; rejects for what is no picture that this browser can read.
 *
 * A Blob is handed to another process and read back from it, which takes longer than to decode. A browser has the
 * decoder for bytes on https and on this machine itself only; everywhere else it is the Blob.
 */
export async function decoded(bytes, contentType) {
  if (!globalThis.ImageDecoder) return createImageBitmap(new Blob([bytes], { type: contentType }));
  const decoder = new ImageDecoder({ data: bytes, type: contentType });
  try {
    return (await decoder.decode()).image;
  } finally {
    decoder.close();
  }
}

/** How large it is when it is drawn, in pixels. */
export function sizeOf(picture) {
  return { width: picture.displayWidth ?? picture.width, height: picture.displayHeight ?? picture.height };
}

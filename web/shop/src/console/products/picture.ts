/** The longest side of a picture in the shop. */
const LONGEST_SIDE = 1_600
/** What the gateway takes at most. */
const LARGEST_BYTES = 700_000
const QUALITIES = [0.85, 0.75, 0.6, 0.45]

/** The size of a picture whose longest side is at most `longest`, in whole pixels; a small one stays as it is. */
export function fitWithin(width: number, height: number, longest = LONGEST_SIDE): { width: number; height: number } {
  const scale = Math.min(longest / Math.max(width, height), 1)
  return { width: Math.max(Math.round(width * scale), 1), height: Math.max(Math.round(height * scale), 1) }
}

/**
 * A picture as the shop wants it: WebP, not larger than it is ever shown. It is drawn anew, so that what a camera writes
 * beside the picture (where, when, with what) stays behind. Null if the browser cannot read it.
 */
export async function shrink(file: Blob): Promise<Blob | null> {
  const bitmap = await createImageBitmap(file).catch(() => null)
  if (!bitmap) return null
  const { width, height } = fitWithin(bitmap.width, bitmap.height)
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width, height })
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, width, height)
  bitmap.close()

  for (const quality of QUALITIES) {
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/webp', quality))
    if (blob && blob.size <= LARGEST_BYTES) return blob
  }
  return null
}

/** Bytes as text, as a mutation carries them. */
export async function toBase64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer())
  const CHUNK = 0x8000
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  return btoa(binary)
}

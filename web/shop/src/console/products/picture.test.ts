import { expect, it } from 'vitest'
import { fitWithin, toBase64 } from './picture'

it.each([
  [4_000, 3_000, 1_600, 1_200],
  [3_000, 4_000, 1_200, 1_600],
  [800, 600, 800, 600],
  [20_000, 3, 1_600, 1],
])('%d × %d fits as %d × %d', (width, height, fittedWidth, fittedHeight) => {
  expect(fitWithin(width, height)).toEqual({ width: fittedWidth, height: fittedHeight })
})

it('carries every byte', async () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256)
  const text = await toBase64(new Blob([bytes]))
  expect(Uint8Array.from(atob(text), (character) => character.charCodeAt(0))).toEqual(bytes)
})

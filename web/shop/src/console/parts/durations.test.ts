import { expect, it } from 'vitest'
import { inWords, scaleOf } from './durations'

const plain = (value: number, unit: string, digits = 0) => `${Number(value.toFixed(digits))}${unit[0]}`

it.each([
  [-5, '0m'],
  [12.4, '12m'],
  [1_440, '1.4s'],
  [42_000, '42s'],
  [185_000, '3m 5s'],
  [3_600_000, '1h'],
  [187_200_000, '2d 4h'],
])('%d ms read as %s', (ms, text) => {
  expect(inWords(ms, plain)).toBe(text)
})

it('says how long ago in one unit', () => {
  expect(scaleOf(40_000)).toEqual({ value: 40, unit: 'second' })
  expect(scaleOf(90 * 60_000)).toEqual({ value: 2, unit: 'hour' })
  expect(scaleOf(-3 * 86_400_000)).toEqual({ value: -3, unit: 'day' })
})

import { expect, it } from 'vitest'
import { fromMinor, parseAmount, remaining, toMinor } from './money'

it.each([
  ['37.00', '0.00', '37.00'],
  ['37.00', '12.50', '24.50'],
  ['0.30', '0.20', '0.10'],
  ['90071992547409.93', '0.01', '90071992547409.92'],
  ['5.00', '6.00', '0.00'],
  ['500', '120', '380'],
])('%s less %s is %s', (amount, taken, left) => {
  expect(remaining(amount, taken)).toBe(left)
})

it.each([
  ['12,5', '37.00', '12.50'],
  ['37', '37.00', '37.00'],
  ['37.01', '37.00', null],
  ['0', '37.00', null],
  ['1.234', '37.00', null],
  ['-1', '37.00', null],
  ['ten', '37.00', null],
  ['120', '500', '120'],
  ['1.5', '500', null],
])('%s of at most %s is read as %s', (text, limit, amount) => {
  expect(parseAmount(text, limit)).toBe(amount)
})

it.each([
  ['12.50', 2, 1250n],
  ['-0.05', 2, -5n],
  ['-12.50', 2, -1250n],
  ['-500', 0, -500n],
])('%s in whole units, and back', (amount, digits, minor) => {
  expect(toMinor(amount, digits)).toBe(minor)
  expect(fromMinor(minor, digits)).toBe(amount)
})

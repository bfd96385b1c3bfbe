import { expect, it } from 'vitest'
import { span } from './days'

it('a span holds its last day', () => {
  expect(span('2026-11-18', '2026-11-20')).toEqual({ from: '2026-11-18T00:00:00.000Z', to: '2026-11-21T00:00:00.000Z' })
})

it.each(['', 'yesterday', '2026-13-40'])('%j sets no bound', (day) => {
  expect(span(day, day)).toEqual({ from: null, to: null })
})

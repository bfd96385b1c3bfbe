import { expect, it } from 'vitest'
import { newTrace } from './trace'

it('a trace has the form of W3C, and each is another', () => {
  expect(newTrace()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  expect(newTrace()).not.toBe(newTrace())
})

import { expect, it } from 'vitest'
import { tokens } from './json'

it('loses nothing of what it indents', () => {
  const value = { a: 'x: "y"', list: [1, -2.5, true, null], 'odd "key"': {} }
  const found = tokens(JSON.stringify(value))
  expect(JSON.parse(found.map((token) => token.text).join(''))).toEqual(value)
})

it('tells keys from values', () => {
  const found = tokens('{"total":"12.99","lines":2}')
  expect(found.filter((token) => token.kind === 'key').map((token) => token.text)).toEqual(['"total":', '"lines":'])
  expect(found.find((token) => token.kind === 'string')?.text).toBe('"12.99"')
  expect(found.find((token) => token.kind === 'literal')?.text).toBe('2')
})

it('shows what is no JSON as it is', () => {
  expect(tokens('{not json')).toEqual([{ kind: 'plain', text: '{not json' }])
})

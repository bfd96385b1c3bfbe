import { describe, expect, it } from 'vitest'
import { readListState, toVariables, writeListState } from './listState'

describe('the state of the product list', () => {
  it('survives the way through the URL', () => {
    const query = { q: 'riesling', category: 'c1', min: '5', max: '19.90', stock: 'in', sort: 'price_asc', after: 'x' }
    expect(writeListState(readListState(query))).toEqual(query)
  })

  it('leaves defaults out of the URL', () => {
    expect(writeListState(readListState({}))).toEqual({})
    expect(writeListState(readListState({ q: 'tea', sort: 'relevance' }))).toEqual({ q: 'tea' })
  })

  it('takes nothing from the URL that the server would refuse', () => {
    const state = readListState({ min: 'cheap', max: '-1', sort: 'RELEVANCE', stock: 'maybe', q: ['a', 'b'] })
    expect(state).toMatchObject({ min: '', max: '', sort: 'NEWEST', inStock: false, q: '' })
  })

  it('asks the server only for what was chosen', () => {
    const { filter, sort } = toVariables(readListState({ q: 'tea' }))
    expect(sort).toBe('RELEVANCE')
    expect(filter).toEqual({ q: 'tea', categoryId: null, minPrice: null, maxPrice: null, inStock: null })
  })
})

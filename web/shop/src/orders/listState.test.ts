import { describe, expect, it } from 'vitest'
import { readListState, writeListState } from './listState'

describe('the state of the list of orders', () => {
  it('survives the way through the URL', () => {
    const query = { status: 'shipped', after: 'x' }
    expect(writeListState(readListState(query))).toEqual(query)
    expect(writeListState(readListState({}))).toEqual({})
  })

  it('takes no filter that it does not offer', () => {
    for (const status of ['pending', 'nonsense', ['shipped']]) expect(readListState({ status }).status).toBeNull()
  })
})

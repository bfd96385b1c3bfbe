import { describe, expect, it } from 'vitest'
import { pageTurns, wayHere, written } from './usePageTurns'

describe('the turns of a list', () => {
  it('are one from the first page, and back from the second', () => {
    expect(pageTurns([], '', 'b')).toEqual({ first: null, previous: null, next: { after: 'b', way: [''] } })
    expect(pageTurns([''], 'b', '')).toEqual({ first: null, previous: { after: '', way: [] }, next: null })
  })

  it('lead back page by page, and to the start', () => {
    expect(pageTurns(['', 'b'], 'c', 'd')).toEqual({
      first: { after: '', way: [] },
      previous: { after: 'b', way: [''] },
      next: { after: 'd', way: ['', 'b', 'c'] },
    })
  })

  it('lead back as far as the way is known, from a link that somebody sent', () => {
    expect(pageTurns([], 'c', 'd')).toEqual({
      first: { after: '', way: [] },
      previous: null,
      next: { after: 'd', way: ['c'] },
    })
    expect(pageTurns(['c'], 'd', '').previous).toEqual({ after: 'c', way: [] })
  })

  it('believe nothing in the history but cursors', () => {
    for (const way of [[], [''], ['', 'b'], ['b']]) expect(wayHere({ way: written(way), position: 3 })).toEqual(way)
    expect([wayHere(null), wayHere({}), wayHere({ way: 1 })]).toEqual([[], [], []])
  })
})

import { describe, expect, it, vi } from 'vitest'
import { createQuantityEdits } from './quantityEdits'
import type { SendQuantity } from './quantityEdits'

/** A server whose answers are given by hand. */
function server() {
  const answers: ((isTaken: boolean) => void)[] = []
  const send = vi.fn<SendQuantity>(() => new Promise((resolve) => answers.push(resolve)))
  const answer = async (isTaken: boolean) => {
    await vi.waitFor(() => expect(answers.length).toBeGreaterThan(0))
    answers.shift()?.(isTaken)
  }
  return { send, answer }
}

describe('quantities on their way', () => {
  it('show at once, and settle with the answer', async () => {
    const { send, answer } = server()
    const edits = createQuantityEdits(send)
    const done = edits.choose('line', 3)
    expect(edits.shown('line', 1)).toBe(3)
    expect(edits.isSettling.value).toBe(true)
    await answer(true)
    await done
    expect(edits.shown('line', 1)).toBe(1)
    expect(edits.isSettling.value).toBe(false)
  })

  it('become one request when they come faster than answers', async () => {
    const { send, answer } = server()
    const edits = createQuantityEdits(send)
    void edits.choose('line', 2)
    await vi.waitFor(() => expect(send).toHaveBeenCalledTimes(1))
    void edits.choose('line', 3)
    void edits.choose('line', 4)
    const last = edits.choose('line', 5)
    await answer(true)
    await answer(true)
    await last
    expect(send.mock.calls).toEqual([
      ['line', 2],
      ['line', 5],
    ])
    expect(edits.isSettling.value).toBe(false)
  })

  it('fall back when the server refuses', async () => {
    const { send, answer } = server()
    const edits = createQuantityEdits(send)
    const done = edits.choose('line', 500)
    await answer(false)
    await done
    expect(edits.shown('line', 2)).toBe(2)
  })

  it('of different lines go one after the other', async () => {
    const { send, answer } = server()
    const edits = createQuantityEdits(send)
    void edits.choose('one', 2)
    const last = edits.choose('other', 7)
    await vi.waitFor(() => expect(send).toHaveBeenCalledTimes(1))
    expect(edits.shown('other', 1)).toBe(7)
    await answer(true)
    await answer(true)
    await last
    expect(send.mock.calls.map(([line]) => line)).toEqual(['one', 'other'])
  })
})

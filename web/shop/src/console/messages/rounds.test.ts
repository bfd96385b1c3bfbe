import { describe, expect, it } from 'vitest'
import { batchesOf, lookAhead, runRounds } from './rounds'
import type { Batch, Handled, Progress } from './rounds'

const answer = (count: number, more = false): Handled => ({
  items: Array.from({ length: count }, () => ({ queue: 'orders.cart.events.queue' })),
  missing: [],
  more,
  until: 'then',
})

async function run(batches: Batch[], answers: (Handled | null)[], isStopped = () => false) {
  const asked: (string | null)[] = []
  const told: Progress[] = []
  const ask = (_: Batch, until: string | null) => {
    asked.push(until)
    return Promise.resolve(answers.shift() ?? null)
  }
  const isDone = await runRounds(batches, ask, { isStopped, tell: (progress) => told.push(progress) })
  return { isDone, asked, handled: told.at(-1)?.handled ?? 0 }
}

describe('batches of letters', () => {
  it('are about one service each, and not too large', () => {
    const letters = Array.from({ length: 250 }, (_, index) => ({ id: `${index}`, service: index < 220 ? 'cart' : 'orders' }))
    const batches = batchesOf(letters)
    expect(batches.map((batch) => [batch.service, batch.ids?.length])).toEqual([
      ['cart', 100],
      ['cart', 100],
      ['cart', 20],
      ['orders', 30],
    ])
  })
})

describe('rounds', () => {
  it('go on until nothing is left, back to the same moment', async () => {
    const result = await run([{ service: 'cart', all: true }], [answer(200, true), answer(200, true), answer(3)])
    expect(result).toEqual({ isDone: true, asked: [null, 'then', 'then'], handled: 403 })
  })

  it('end when a round takes nothing, though there are more', async () => {
    expect(await run([{ service: 'cart', all: true }], [answer(0, true)])).toMatchObject({ isDone: true, handled: 0 })
  })

  it('end with the first that fails; what was done stays counted', async () => {
    const result = await run([{ service: 'cart', all: true }], [answer(200, true), null])
    expect(result).toMatchObject({ isDone: false, handled: 200 })
  })

  it('can be stopped in between', async () => {
    let rounds = 0
    const result = await run([{ service: 'cart', all: true }], [answer(1, true), answer(1, true)], () => rounds++ > 0)
    expect(result).toMatchObject({ isDone: false, handled: 1 })
  })
})

it('looking ahead asks once per batch, and says if there are more', async () => {
  const progress = await lookAhead([{ service: 'cart', all: true }, { service: 'orders', all: true }], () =>
    Promise.resolve(answer(5, true)),
  )
  expect(progress).toMatchObject({ handled: 10, more: true })
  expect(progress?.queues.get('orders.cart.events.queue')).toBe(10)
})

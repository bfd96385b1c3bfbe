import { afterEach, expect, it, vi } from 'vitest'
import { answeredAhead, askAhead, bodyOf, fetchOrTake, takeAnswers } from './headStart'

const question = (operationName: string) => ({ operationName, query: `query ${operationName} { products }`, variables: {} })
const ask = (operationName: string, signal?: AbortSignal) =>
  fetchOrTake('/graphql', { method: 'POST', body: bodyOf(question(operationName)), signal })

/** A gateway that answers a request when it is told to; one that was aborted fails, as the browser's own does. */
function gateway() {
  const answers: ((response: Response) => void)[] = []
  const fetched = vi.fn<typeof fetch>((_, init) => {
    init?.signal?.throwIfAborted()
    return new Promise((resolve) => answers.push(resolve))
  })
  vi.stubGlobal('fetch', fetched)
  return { fetched, answers }
}

afterEach(() => vi.unstubAllGlobals())

it('what was asked ahead is taken once, and asked for again after that', async () => {
  const { fetched, answers } = gateway()
  void askAhead(question('one')).catch(() => undefined)
  const taken = ask('one')
  expect(fetched).toHaveBeenCalledTimes(1)
  answers[0]?.(new Response('first'))
  expect(await (await taken).text()).toBe('first')
  void ask('one')
  expect(fetched).toHaveBeenCalledTimes(2)
})

it('who does not want it any more does not wait for it', async () => {
  const { answers } = gateway()
  void askAhead(question('two')).catch(() => undefined)
  const left = new AbortController()
  const taken = ask('two', left.signal)
  left.abort()
  await expect(taken).rejects.toThrow('abort')
  expect(answers).toHaveLength(1)
})

it('what is answered by then is known at once, and not taken again', async () => {
  const { fetched, answers } = gateway()
  const data = askAhead(question('three'))
  expect(takeAnswers()).toEqual([])
  answers[0]?.(Response.json({ data: { products: [] } }))
  expect(await data).toEqual({ products: [] })
  expect(takeAnswers()).toEqual([{ question: question('three'), data: { products: [] } }])
  void ask('three')
  expect(fetched).toHaveBeenCalledTimes(2)
})

it('an answer with errors is left to who can tell of them', async () => {
  const { fetched, answers } = gateway()
  const data = askAhead(question('four'))
  answers[0]?.(Response.json({ data: { products: [] }, errors: [{ message: 'half of it' }] }))
  expect(await data).toBeUndefined()
  expect(takeAnswers()).toEqual([])
  expect(await (await ask('four')).json()).toHaveProperty('errors')
  expect(fetched).toHaveBeenCalledTimes(1)
})

it('nobody waits for ever', async () => {
  vi.useFakeTimers()
  gateway()
  void askAhead(question('five'))
  const waited = answeredAhead(100)
  await vi.advanceTimersByTimeAsync(100)
  await waited
  vi.useRealTimers()
})

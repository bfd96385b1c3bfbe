import { afterEach, expect, it, vi } from 'vitest'
import { askAhead, fetchOrTake } from './headStart'

const ask = (body: string, signal?: AbortSignal) => fetchOrTake('/graphql', { method: 'POST', body, signal })

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
  void askAhead('one')
  const taken = ask('one')
  expect(fetched).toHaveBeenCalledTimes(1)
  answers[0]?.(new Response('first'))
  expect(await (await taken).text()).toBe('first')
  void ask('one')
  expect(fetched).toHaveBeenCalledTimes(2)
})

it('who does not want it any more does not wait for it', async () => {
  const { answers } = gateway()
  void askAhead('two')
  const left = new AbortController()
  const taken = ask('two', left.signal)
  left.abort()
  await expect(taken).rejects.toThrow('abort')
  expect(answers).toHaveLength(1)
})

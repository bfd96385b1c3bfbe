import { flushPromises } from '@vue/test-utils'
import { computed, nextTick, ref, watch } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { onTestPage } from '@/graphql/onTestPage'
import { graphql } from '@/graphql/tada'
import { usePolledQuery } from './usePolledQuery'

const EVERY_MS = 5_000
const Document = graphql('query Polled($about: String) { deadLetters(first: 1, about: $about) { items { queue } } }')

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  show('visible')
  vi.useRealTimers()
})

function show(state: 'visible' | 'hidden') {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state)
  document.dispatchEvent(new Event('visibilitychange'))
}

/** A page that polls; `server.name` may be replaced by what the next answers are, and `asked` counts them. */
async function polling() {
  const server = { asked: 0, name: 'first' as string | null }
  const about = ref('something')
  const { used: query, page } = onTestPage(
    () => usePolledQuery({ query: Document, variables: computed(() => ({ about: about.value })) }, EVERY_MS),
    () => {
      server.asked += 1
      if (server.name === null) throw new TypeError('the connection was lost')
      return { deadLetters: { items: [{ queue: server.name }] } }
    },
  )
  await flushPromises()
  const name = () => query.data.value?.deadLetters.items[0]?.queue
  return { query, name, about, server, page }
}

async function pass(ms: number) {
  await vi.advanceTimersByTimeAsync(ms)
  await flushPromises()
}

describe('a polled query', () => {
  it('is asked again every so often, until its page is left', async () => {
    const { name, server, page } = await polling()
    expect(name()).toBe('first')
    server.name = 'second'
    await pass(EVERY_MS)
    expect(name()).toBe('second')
    await pass(2 * EVERY_MS)
    expect(server.asked).toBe(4)
    page.unmount()
    await pass(10 * EVERY_MS)
    expect(server.asked).toBe(4)
  })

  it('rests in a hidden tab, and is asked at once when somebody looks again', async () => {
    const { server } = await polling()
    show('hidden')
    await pass(10 * EVERY_MS)
    expect(server.asked).toBe(1)
    show('visible')
    await pass(0)
    expect(server.asked).toBe(2)
    await pass(EVERY_MS)
    expect(server.asked).toBe(3)
  })

  it('keeps what it read last while nothing answers, and says so', async () => {
    const { query, name, server } = await polling()
    server.name = null
    await pass(EVERY_MS)
    expect(name()).toBe('first')
    expect([query.error.value, query.latestError.value?.message]).toEqual([undefined, expect.stringContaining('lost')])
    server.name = 'back'
    await pass(EVERY_MS)
    expect([name(), query.latestError.value]).toEqual(['back', undefined])
  })

  it('is not answered by what answered the question before, and says so when the new one fails', async () => {
    const { query, about, server } = await polling()
    expect(query.isAnswered.value).toBe(true)
    server.name = null
    about.value = 'something else'
    await nextTick()
    expect([query.isAnswered.value, query.fetching.value]).toEqual([false, true])
    await flushPromises()
    expect([query.isAnswered.value, query.error.value?.message]).toEqual([false, expect.stringContaining('lost')])
    server.name = 'back'
    await pass(EVERY_MS)
    expect([query.isAnswered.value, query.error.value]).toEqual([true, undefined])
  })

  it('fetches for the page to see the first time only', async () => {
    const { query, server } = await polling()
    const seen: boolean[] = []
    watch(query.fetching, (isFetching) => seen.push(isFetching), { flush: 'sync' })
    await pass(3 * EVERY_MS)
    expect([server.asked, seen]).toEqual([4, []])
  })
})

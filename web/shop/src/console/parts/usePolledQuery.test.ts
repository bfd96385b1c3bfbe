import { Client, fetchExchange } from '@urql/core'
import { provideClient } from '@urql/vue'
import { flushPromises, mount } from '@vue/test-utils'
import { defineComponent, h } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { graphql } from '@/graphql/tada'
import { usePolledQuery } from './usePolledQuery'

const EVERY_MS = 5_000
const Document = graphql('query Polled { queues { name } }')

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

/** A page that polls; `answers` may be replaced by what the next ones are, and `asked` counts them. */
async function polling() {
  const server = { asked: 0, name: 'first' as string | null }
  const client = new Client({
    url: 'http://shop.example/graphql',
    preferGetMethod: false,
    exchanges: [fetchExchange],
    fetch: () => {
      server.asked += 1
      if (server.name === null) return Promise.reject(new TypeError('the connection was lost'))
      return Promise.resolve(Response.json({ data: { queues: [{ name: server.name }] } }))
    },
  })
  let query: ReturnType<typeof poll> | undefined
  const poll = () => usePolledQuery({ query: Document, variables: {} }, EVERY_MS)
  const Inner = defineComponent(() => {
    query = poll()
    return () => null
  })
  const page = mount(
    defineComponent(() => {
      provideClient(client)
      return () => h(Inner)
    }),
  )
  await flushPromises()
  if (!query) throw new Error('nothing was mounted')
  return { query, server, page }
}

async function pass(ms: number) {
  await vi.advanceTimersByTimeAsync(ms)
  await flushPromises()
}

describe('a polled query', () => {
  it('is asked again every so often, until its page is left', async () => {
    const { query, server, page } = await polling()
    expect(query.data.value?.queues[0]?.name).toBe('first')
    server.name = 'second'
    await pass(EVERY_MS)
    expect(query.data.value?.queues[0]?.name).toBe('second')
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
    const { query, server } = await polling()
    server.name = null
    await pass(EVERY_MS)
    expect(query.data.value?.queues[0]?.name).toBe('first')
    expect([query.error.value, query.latestError.value?.message]).toEqual([undefined, expect.stringContaining('lost')])
    server.name = 'back'
    await pass(EVERY_MS)
    expect([query.data.value?.queues[0]?.name, query.latestError.value]).toEqual(['back', undefined])
  })
})

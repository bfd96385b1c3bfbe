import type { Client, createClient as CreateClient } from 'graphql-ws'
import { readonly, ref } from 'vue'
import type { InjectionKey } from 'vue'
import type { SubscriptionForwarder } from '@urql/core'
import type { Session } from './session'

/** How the connection for live news stands: `lost` means that news may be missing on the page at this moment. */
export type LiveState = 'idle' | 'connected' | 'lost'

/** The first wait between two tries to connect; doubles up to the longest. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 8_000

/**
 * One WebSocket for all subscriptions, opened with the first and closed after the last. It connects again for as long
 * as somebody listens, and each subscription then begins anew with the current state: nothing is missed.
 */
export function createLive(session: Session, load = () => import('graphql-ws')) {
  const state = ref<LiveState>('idle')
  let client: Client | undefined

  /** Few pages have live news; the others do without the code for it. Where that cannot be had, it is tried again. */
  async function connect(isWanted: () => boolean): Promise<Client | undefined> {
    while (isWanted()) {
      try {
        const { createClient } = await load()
        return (client ??= newClient(createClient))
      } catch {
        state.value = 'lost'
        await onlineOrLater()
      }
    }
  }

  function newClient(createClient: typeof CreateClient): Client {
    const url = new URL('/graphql', location.href)
    url.protocol = url.protocol.replace('http', 'ws')
    return createClient({
      url: url.href,
      lazyCloseTimeout: 3_000,
      keepAlive: 15_000,
      retryAttempts: Infinity,
      shouldRetry: () => true,
      retryWait: (retries) =>
        new Promise((resolve) => setTimeout(resolve, Math.min(FIRST_WAIT_MS * 2 ** retries, LONGEST_WAIT_MS))),
      connectionParams: async () => {
        if (session.isStale()) await session.refresh()
        const token = session.token()
        return token ? { Authorization: `Bearer ${token}` } : {}
      },
      on: {
        connected: () => (state.value = 'connected'),
        closed: (event) => (state.value = (event as CloseEvent).code === 1000 ? 'idle' : 'lost'),
      },
    })
  }

  // A socket may look open for minutes after its network is gone: the browser knows first.
  addEventListener('offline', () => client?.terminate())

  const forward: SubscriptionForwarder = (request) => ({
    subscribe: (sink) => {
      let isWanted = true
      let unsubscribe = () => {
        isWanted = false
      }
      void connect(() => isWanted).then((connected) => {
        if (!isWanted || !connected) return
        unsubscribe = connected.subscribe({ query: request.query ?? '', variables: request.variables }, sink)
      })
      return { unsubscribe: () => unsubscribe() }
    },
  })

  /** After a login or logout: the next subscription connects as whoever it now is. */
  function reset() {
    if (client) void client.dispose()
    client = undefined
    state.value = 'idle'
  }

  return { state: readonly(state), forward, reset }
}

/** When the network is back, or after the longest wait, should the browser not know. */
function onlineOrLater(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, LONGEST_WAIT_MS)
    addEventListener('online', () => resolve(), { once: true })
  })
}

export type Live = ReturnType<typeof createLive>

export const liveKey: InjectionKey<Live> = Symbol('live')

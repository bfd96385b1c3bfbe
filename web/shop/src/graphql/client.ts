import { Client, fetchExchange, ssrExchange, subscriptionExchange } from '@urql/core'
import { authExchange } from '@urql/exchange-auth'
import type { CombinedError, SSRData } from '@urql/core'
import { shallowRef, watch } from 'vue'
import { createCache } from './cache'
import { hasCode } from './errors'
import { fetchOrTake } from './headStart'
import { createLive } from './live'
import type { Session } from './session'
import { newTrace } from './trace'

/**
 * The way to the gateway. A new client, with an empty cache, begins whenever another account does: nothing that one
 * account saw may show to the next.
 */
export function createGraphql(session: Session) {
  const live = createLive(session)
  const known = ssrExchange({ isClient: true })
  const client = shallowRef(newClient())

  function newClient() {
    return new Client({
      url: '/graphql',
      fetch: fetchOrTake,
      preferGetMethod: false,
      exchanges: [
        createCache(),
        known,
        authentication(session),
        fetchExchange,
        subscriptionExchange({ forwardSubscription: live.forward }),
      ],
    })
  }

  watch(
    () => session.user.value?.id,
    () => {
      live.reset()
      client.value = newClient()
    },
    { flush: 'sync' },
  )

  return {
    client,
    live,
    /** Answers that are here already, by their request's key: who asks has them at once. */
    know: (answers: SSRData) => known.restoreData(answers),
  }
}

/** Sends the token and a trace along; asks for a new token before it ends, and when it is refused. */
function authentication(session: Session) {
  return authExchange((utils) =>
    Promise.resolve({
      addAuthToOperation: (operation) => {
        const token = session.token()
        const login: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {}
        return utils.appendHeaders(operation, { ...login, traceparent: newTrace() })
      },
      willAuthError: () => session.isStale(),
      didAuthError: (error: CombinedError) => session.token() !== null && hasCode(error, 'UNAUTHENTICATED'),
      // Without a connection the operation itself fails next, and says so where it was asked for.
      refreshAuth: () => session.refresh().catch(() => undefined),
    }),
  )
}

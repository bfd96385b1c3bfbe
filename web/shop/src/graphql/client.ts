import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { authExchange } from '@urql/exchange-auth'
import type { CombinedError } from '@urql/core'
import { shallowRef, watch } from 'vue'
import { createCache } from './cache'
import { hasCode } from './errors'
import { createLive } from './live'
import type { Session } from './session'

/**
 * The way to the gateway. A new client, with an empty cache, begins whenever another account does: nothing that one
 * account saw may show to the next.
 */
export function createGraphql(session: Session) {
  const live = createLive(session)
  const client = shallowRef(newClient())

  function newClient() {
    return new Client({
      url: '/graphql',
      preferGetMethod: false,
      exchanges: [
        createCache(),
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

  return { client, live }
}

/** Sends the token along; asks for a new one before it ends, and when it is refused. */
function authentication(session: Session) {
  return authExchange((utils) =>
    Promise.resolve({
      addAuthToOperation: (operation) => {
        const token = session.token()
        return token ? utils.appendHeaders(operation, { Authorization: `Bearer ${token}` }) : operation
      },
      willAuthError: () => session.isStale(),
      didAuthError: (error: CombinedError) => session.token() !== null && hasCode(error, 'UNAUTHENTICATED'),
      // Without a connection the operation itself fails next, and says so where it was asked for.
      refreshAuth: () => session.refresh().catch(() => undefined),
    }),
  )
}

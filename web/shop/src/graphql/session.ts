import { computed, readonly, shallowRef } from 'vue'
import type { InjectionKey, Ref } from 'vue'

/** Who is logged in. */
export interface Account {
  id: string
  email: string
  username: string
  role: 'USER' | 'ADMIN'
}

/** What a login or a refresh gives. */
export interface Grant {
  user: Account
  token: string
}

/** Asks for a new grant by the refresh cookie; null if there is no valid one. */
export type Refresh = () => Promise<Grant | null>

export type Session = ReturnType<typeof createSession>

export const sessionKey: InjectionKey<Session> = Symbol('session')

/** How long before a token ends a new one is asked for. */
const REFRESH_BEFORE_MS = 60_000

/** How long to wait when the next token could not be asked for. */
const RETRY_MS = 10_000

/** The longest delay that a timer takes. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * Who is logged in, and the access token. The token lives in memory only: a script that gets into the page finds
 * nothing in storage, and a reload asks for a new one by the HttpOnly cookie.
 */
export function createSession(refreshGrant: Refresh) {
  const user = shallowRef<Account | null>(null)
  let token: string | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let underWay: Promise<void> | undefined

  function adopt(grant: Grant | null) {
    clearTimeout(timer)
    token = grant?.token ?? null
    if (user.value?.id !== grant?.user.id || grant) user.value = grant?.user ?? null
    if (grant) {
      const delay = Math.max(expiryOf(grant.token) - Date.now() - REFRESH_BEFORE_MS, 0)
      timer = setTimeout(renew, Math.min(delay, LONGEST_TIMER_MS))
    }
  }

  /** The same account with another name or address; its token stays as it is. */
  function rename(account: Account) {
    if (user.value?.id === account.id) user.value = account
  }

  /** Without a connection nobody is logged out: the token may still be good, and the next try may work. */
  function renew() {
    refresh().catch(() => {
      timer = setTimeout(renew, RETRY_MS)
    })
  }

  /** Asks for a new token; callers at the same time share one request, since each use of the cookie replaces it. */
  function refresh(): Promise<void> {
    underWay ??= refreshGrant()
      .then(adopt)
      .finally(() => {
        underWay = undefined
      })
    return underWay
  }

  /** Settled once it is known whether the visitor was already logged in. */
  const restored = refresh().catch(() => adopt(null))

  return {
    user: readonly(user) as Readonly<Ref<Account | null>>,
    isAdmin: computed(() => user.value?.role === 'ADMIN'),
    restored,
    adopt,
    rename,
    refresh,
    token: () => token,
    /** Will the server refuse the token, now or in a moment? */
    isStale: () => token !== null && expiryOf(token) - Date.now() < REFRESH_BEFORE_MS / 2,
  }
}

/** When a token ends, in milliseconds since 1970. The server decides; this only tells when to ask for the next one. */
function expiryOf(token: string): number {
  const payload = token.split('.')[1] ?? ''
  const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
  const hasExpiry = typeof claims === 'object' && claims !== null && 'exp' in claims && typeof claims.exp === 'number'
  return hasExpiry ? (claims.exp as number) * 1000 : 0
}

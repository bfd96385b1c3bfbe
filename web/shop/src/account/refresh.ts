import { stringifyDocument } from '@urql/core'
import type { ResultOf } from '@/graphql/tada'
import type { Grant, Refresh } from '@/graphql/session'
import { useCartId } from '@/cart/useCartId'
import { RefreshMutation } from './documents'
import { forgetGuestCart } from './handover'

interface Answer {
  data?: ResultOf<typeof RefreshMutation>
}

/**
 * Asks for a new access token by the HttpOnly cookie, which goes with every request to the gateway and is seen by it
 * alone. Null if there is no session; throws if that could not be found out. Several tabs may ask at once.
 */
export const refreshByCookie: Refresh = async (): Promise<Grant | null> => {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' },
    body: JSON.stringify({
      query: stringifyDocument(RefreshMutation),
      variables: { input: { cartId: useCartId().value } },
    }),
  })
  const { data } = (await response.json()) as Answer
  if (!data) throw new Error(`the session could not be refreshed: ${response.status}`)
  const { user, token, userErrors } = data.refreshSession
  if (!user || !token) return null
  forgetGuestCart(userErrors)
  return { user, token }
}

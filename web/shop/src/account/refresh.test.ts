import { beforeEach, describe, expect, it, vi } from 'vitest'
import { useCartId } from '@/cart/useCartId'
import { refreshByCookie } from './refresh'

const user = { id: 'u', email: 'ada@prost.example', username: 'Ada', role: 'USER' as const }

/** The gateway's next answer; the mutation's variables that it was asked with. */
function answers(refreshSession: object | null) {
  const body = refreshSession ? { data: { refreshSession } } : { errors: [{ message: 'down' }] }
  const asked = vi.fn((_: string, init: RequestInit) => {
    asked.variables = JSON.parse(String(init.body)).variables
    return Promise.resolve(new Response(JSON.stringify(body), { status: refreshSession ? 200 : 503 }))
  }) as ReturnType<typeof vi.fn> & { variables?: unknown }
  vi.stubGlobal('fetch', asked)
  return asked
}

describe('the refresh by cookie', () => {
  beforeEach(() => void (useCartId().value = 'guest-cart'))

  it('brings the session back, and hands the cart of a guest over', async () => {
    const asked = answers({ user, token: 't', userErrors: [] })
    expect(await refreshByCookie()).toEqual({ user, token: 't' })
    expect(asked.variables).toEqual({ input: { cartId: 'guest-cart' } })
    expect(useCartId().value).toBeNull()
  })

  it('is nobody without a session, and leaves the cart where it is', async () => {
    answers({ user: null, token: null, userErrors: [] })
    expect(await refreshByCookie()).toBeNull()
    expect(useCartId().value).toBe('guest-cart')
  })

  it('keeps a cart that could not be taken over yet, and forgets one that never can be', async () => {
    answers({ user, token: 't', userErrors: [{ code: 'UNAVAILABLE', field: null, message: '' }] })
    await refreshByCookie()
    expect(useCartId().value).toBe('guest-cart')
    answers({ user, token: 't', userErrors: [{ code: 'CART_NOT_FOUND', field: null, message: '' }] })
    await refreshByCookie()
    expect(useCartId().value).toBeNull()
  })

  it('does not take an outage for a logout', async () => {
    answers(null)
    await expect(refreshByCookie()).rejects.toThrow()
  })
})

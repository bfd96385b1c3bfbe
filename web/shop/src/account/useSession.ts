import { useMutation } from '@urql/vue'
import { inject } from 'vue'
import { sessionKey } from '@/graphql/session'
import type { UserError } from '@/graphql/errors'
import { useCartId } from '@/cart/useCartId'
import { LoginMutation } from './documents'

/** Who is logged in, and how to become somebody else. */
export function useSession() {
  const session = inject(sessionKey)
  if (!session) throw new Error('there is no session: is the composable used outside the application?')
  const { user, isAdmin, restored, adopt } = session
  const cartId = useCartId()
  const login = useMutation(LoginMutation)

  /** Logs in, and hands the guest's cart over. Answers why not; empty if it worked. */
  async function logIn(email: string, password: string): Promise<readonly UserError[]> {
    const { data, error } = await login.executeMutation({ input: { email, password, cartId: cartId.value } })
    if (error) throw error
    const { user: account, token, userErrors = [] } = data?.loginUser ?? {}
    if (!account || !token) return userErrors
    cartId.value = null
    adopt({ user: account, token })
    return []
  }

  return { user, isAdmin, restored, logIn }
}

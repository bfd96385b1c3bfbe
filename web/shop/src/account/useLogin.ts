import { useMutation } from '@urql/vue'
import type { CombinedError } from '@urql/core'
import { ref, shallowRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { useCartId } from '@/cart/useCartId'
import type { UserError } from '@/graphql/errors'
import type { Account } from '@/graphql/session'
import { useAction } from '@/graphql/useAction'
import { LoginMutation, LogoutMutation, RegisterMutation } from './documents'
import { forgetGuestCart } from './handover'
import { tellTabs } from './sessionTabs'
import { useSession } from './useSession'

interface Entry {
  user: Account | null
  token: string | null
  userErrors: readonly UserError[]
}

/** Ways in and out. Whoever comes in brings the guest's cart along. */
export function useLogin() {
  const { adopt } = useSession()
  const cartId = useCartId()
  const login = useMutation(LoginMutation)
  const registration = useAction(RegisterMutation)
  const exit = useMutation(LogoutMutation)
  const pending = ref(false)
  const errors = shallowRef<readonly UserError[]>([])
  const fault = shallowRef<CombinedError>()

  function enter(payload: Entry | undefined): boolean {
    const { user, token, userErrors = [] } = payload ?? {}
    errors.value = user ? [] : userErrors
    if (!user || !token) return false
    forgetGuestCart(userErrors)
    adopt({ user, token })
    tellTabs('login')
    return true
  }

  async function logIn(email: string, password: string): Promise<boolean> {
    pending.value = true
    const { data, error } = await login.executeMutation({ input: { email, password, cartId: cartId.value } })
    pending.value = false
    fault.value = error
    return enter(data?.loginUser)
  }

  async function register(account: { email: string; username: string; password: string }): Promise<boolean> {
    pending.value = true
    const payload = await registration.run({ ...account, cartId: cartId.value })
    pending.value = false
    fault.value = registration.fault.value
    errors.value = registration.userErrors.value
    return enter(payload ?? undefined)
  }

  /** False if the shop could not be reached: then the browser still has its session. */
  async function logOut(): Promise<boolean> {
    const { data } = await exit.executeMutation({})
    if (!data?.logout.done) return false
    adopt(null)
    tellTabs('logout')
    return true
  }

  return { logIn, register, logOut, pending, errors, fault }
}

/** Where a login leads: back to the page that asked for it, which is always one of ours. */
export function useNextPage() {
  const route = useRoute()
  const router = useRouter()
  const next = () => (typeof route.query.next === 'string' && /^\/(?![/\\])/.test(route.query.next) ? route.query.next : '/')
  return { goOn: () => router.push(next()) }
}

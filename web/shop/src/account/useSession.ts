import { inject } from 'vue'
import { sessionKey } from '@/graphql/session'

/** Who is logged in. How to become somebody else: `useLogin`. */
export function useSession() {
  const session = inject(sessionKey)
  if (!session) throw new Error('there is no session: is the composable used outside the application?')
  const { user, isAdmin, restored, adopt, rename } = session
  return { user, isAdmin, restored, adopt, rename }
}

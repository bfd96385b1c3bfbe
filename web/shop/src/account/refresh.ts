import type { Refresh } from '@/graphql/session'

/**
 * Asks for a new access token by the HttpOnly cookie. The gateway does not offer `refreshSession` yet: until then a
 * reload is a logout, and this function is the only place to change.
 */
export const refreshByCookie: Refresh = () => Promise.resolve(null)

import type { Session } from '@/graphql/session'

type News = 'login' | 'logout'

const channel = new BroadcastChannel('prost.session')

/** Tells the browser's other tabs that somebody came or went here. */
export function tellTabs(news: News) {
  channel.postMessage(news)
}

/** Follows the other tabs: they share the cookie, so they share who is logged in. */
export function followTabs(session: Session) {
  channel.onmessage = ({ data }: MessageEvent<News>) => {
    if (data === 'logout') return session.adopt(null)
    // Without a connection this tab stays who it is; its next request finds out.
    session.refresh().catch(() => undefined)
  }
}

import { afterEach, expect, it, vi } from 'vitest'
import { createLive } from './live'
import type { Session } from './session'

/** A socket to a gateway that greets everyone and says nothing more. */
class GreetingSocket {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSING = 2
  static readonly CLOSED = 3
  readyState = GreetingSocket.OPEN
  onopen?: () => void
  onmessage?: (message: { data: string }) => void
  onclose?: (event: { code: number }) => void

  constructor() {
    setTimeout(() => this.onopen?.())
  }

  send(text: string) {
    if (JSON.parse(text).type === 'connection_init') this.onmessage?.({ data: '{"type":"connection_ack"}' })
  }

  close(code: number) {
    this.readyState = GreetingSocket.CLOSED
    this.onclose?.({ code })
  }
}

afterEach(() => vi.unstubAllGlobals())

it('is lost as soon as the browser is offline, and connects again', async () => {
  vi.stubGlobal('WebSocket', GreetingSocket)
  const live = createLive({ isStale: () => false, token: () => null } as Session)
  const sink = { next: () => {}, error: () => {}, complete: () => {} }
  const { unsubscribe } = live.forward({ query: 'subscription { x }' } as never, {} as never).subscribe(sink)
  await vi.waitFor(() => expect(live.state.value).toBe('connected'))

  dispatchEvent(new Event('offline'))
  expect(live.state.value).toBe('lost')
  await vi.waitFor(() => expect(live.state.value).toBe('connected'))
  unsubscribe()
})

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createLive } from './live'
import type { Live } from './live'
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

beforeEach(() => void vi.stubGlobal('WebSocket', GreetingSocket))
afterEach(() => vi.unstubAllGlobals())

/** The code for live news is loaded first, on whatever machine. */
const PATIENCE = { timeout: 60_000 }
vi.setConfig({ testTimeout: 2 * PATIENCE.timeout })

const session = { isStale: () => false, token: () => null } as Session
const sink = { next: () => {}, error: () => {}, complete: () => {} }
const subscribe = (live: Live) => live.forward({ query: 'subscription { x }' } as never, {} as never).subscribe(sink)

it('is lost as soon as the browser is offline, and connects again', async () => {
  const live = createLive(session)
  const { unsubscribe } = subscribe(live)
  await vi.waitFor(() => expect(live.state.value).toBe('connected'), PATIENCE)

  dispatchEvent(new Event('offline'))
  expect(live.state.value).toBe('lost')
  await vi.waitFor(() => expect(live.state.value).toBe('connected'), PATIENCE)
  unsubscribe()
})

it('is lost while its code cannot be loaded, and connects when the network is back', async () => {
  let isOnline = false
  const load = () => (isOnline ? import('graphql-ws') : Promise.reject(new TypeError('there is no network')))
  const live = createLive(session, load)
  const { unsubscribe } = subscribe(live)
  await vi.waitFor(() => expect(live.state.value).toBe('lost'), PATIENCE)

  isOnline = true
  dispatchEvent(new Event('online'))
  await vi.waitFor(() => expect(live.state.value).toBe('connected'), PATIENCE)
  unsubscribe()
})

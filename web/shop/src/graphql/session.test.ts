import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSession } from './session'
import type { Grant } from './session'

const MINUTE_MS = 60_000

function grant(id: string, minutes: number): Grant {
  const claims = { exp: Math.floor((Date.now() + minutes * MINUTE_MS) / 1000) }
  return {
    user: { id, email: `${id}@prost.example`, username: id, role: 'USER' },
    token: `head.${btoa(JSON.stringify(claims))}.signature`,
  }
}

describe('a session', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('is restored by the cookie', async () => {
    const session = createSession(() => Promise.resolve(grant('anna', 60)))
    await session.restored
    expect(session.user.value?.username).toBe('anna')
    expect(session.isStale()).toBe(false)
  })

  it('is nobody when there is no cookie, or no connection', async () => {
    for (const refresh of [() => Promise.resolve(null), () => Promise.reject(new Error('offline'))]) {
      const session = createSession(refresh)
      await session.restored
      expect(session.user.value).toBeNull()
      expect(session.token()).toBeNull()
    }
  })

  it('asks once for all who ask at the same time', async () => {
    const refresh = vi.fn(() => Promise.resolve(grant('anna', 60)))
    const session = createSession(refresh)
    await Promise.all([session.restored, session.refresh(), session.refresh()])
    expect(refresh).toHaveBeenCalledTimes(1)
  })

  it('asks again before the token ends', async () => {
    const refresh = vi.fn(() => Promise.resolve(grant('anna', 60)))
    const session = createSession(refresh)
    await session.restored
    await vi.advanceTimersByTimeAsync(59 * MINUTE_MS + 1_000)
    expect(refresh).toHaveBeenCalledTimes(2)
    expect(session.isStale()).toBe(false)
  })

  it('survives a connection that is lost when it asks', async () => {
    const refresh = vi.fn(() => Promise.resolve(grant('anna', 60)))
    const session = createSession(refresh)
    await session.restored
    refresh.mockRejectedValueOnce(new Error('offline'))
    await vi.advanceTimersByTimeAsync(59 * MINUTE_MS + 1_000)
    expect(session.user.value?.username).toBe('anna')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(refresh).toHaveBeenCalledTimes(3)
    expect(session.isStale()).toBe(false)
  })

  it('ends with a logout, and asks no more', async () => {
    const refresh = vi.fn(() => Promise.resolve(grant('anna', 60)))
    const session = createSession(refresh)
    await session.restored
    session.adopt(null)
    await vi.advanceTimersByTimeAsync(120 * MINUTE_MS)
    expect(session.user.value).toBeNull()
    expect(refresh).toHaveBeenCalledTimes(1)
  })
})

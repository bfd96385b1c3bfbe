import { ref } from 'vue'
import { describe, expect, it } from 'vitest'
import { RemoveFromCartMutation } from '@/cart/documents'
import { onTestPage } from './onTestPage'
import { useAction } from './useAction'
import type { Attempt } from './useAction'

type Answer = 'lost' | 'done'

/** An action, and a server that gives these answers one after the other; `keys` are those that it saw. */
function action(answers: Answer[], attempt = ref<Attempt | null>(null)) {
  const keys: string[] = []
  const { used } = onTestPage(
    () => useAction(RemoveFromCartMutation, attempt),
    ({ variables }) => {
      keys.push(variables.input.idempotencyKey)
      if (answers.shift() === 'lost') throw new TypeError('the connection was lost')
      return { removeFromCart: { cart: null, userErrors: [] } }
    },
  )
  return { run: used.run, keys }
}

describe('an action', () => {
  it('repeats itself under the same key while its answer is missing', async () => {
    const { run, keys } = action(['lost', 'lost', 'done', 'done'])
    for (let round = 0; round < 4; round++) await run({ itemId: 'line' })
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).toBe(keys[0])
    expect(keys[3]).not.toBe(keys[0])
  })

  it('is another one with other input', async () => {
    const { run, keys } = action(['lost', 'done'])
    await run({ itemId: 'one' })
    await run({ itemId: 'other' })
    expect(keys[1]).not.toBe(keys[0])
  })

  it('is repeated after a reload where the attempt was kept, and forgotten with the answer', async () => {
    const kept = ref<Attempt | null>(null)
    const before = action(['lost'], kept)
    await before.run({ itemId: 'line' })
    const after = action(['done'], kept)
    await after.run({ itemId: 'line' })
    expect(after.keys).toEqual(before.keys)
    expect(kept.value).toBeNull()
  })
})

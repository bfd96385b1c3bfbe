import { computed, shallowReactive } from 'vue'

/** Sends a quantity; false if the server did not take it. */
export type SendQuantity = (lineId: string, quantity: number) => Promise<boolean>

/**
 * Quantities on their way to the server. A line shows what was chosen at once; clicks that come faster than answers
 * become one request with the last of them; what is refused falls back to what the server knows.
 */
export function createQuantityEdits(send: SendQuantity) {
  const wanted = shallowReactive(new Map<string, number>())
  let turn = Promise.resolve()

  function choose(lineId: string, quantity: number): Promise<void> {
    wanted.set(lineId, quantity)
    turn = turn.then(() => settle(lineId))
    return turn
  }

  async function settle(lineId: string) {
    const quantity = wanted.get(lineId)
    if (quantity === undefined) return
    const isTaken = await send(lineId, quantity)
    if (!isTaken || wanted.get(lineId) === quantity) wanted.delete(lineId)
  }

  return {
    choose,
    /** What a line shows: what is on its way, or what the server said. */
    shown: (lineId: string, known: number) => wanted.get(lineId) ?? known,
    /** Sums are those of the server, and not yet right while this is true. */
    isSettling: computed(() => wanted.size > 0),
  }
}

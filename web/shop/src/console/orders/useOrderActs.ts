import { computed } from 'vue'
import { useAction } from '@/graphql/useAction'
import { CancelOrderMutation, DeliverOrderMutation, RetrySagaMutation, ShipOrderMutation } from './documents'

export type Act = 'retry' | 'ship' | 'deliver' | 'cancel'

/** The acts on an order, with the errors of whichever was tried last. Each answers whether it happened. */
export function useOrderActs() {
  const actions = {
    retry: useAction(RetrySagaMutation),
    ship: useAction(ShipOrderMutation),
    deliver: useAction(DeliverOrderMutation),
    cancel: useAction(CancelOrderMutation),
  }
  const all = Object.values(actions)

  const acts: Record<Act, (id: string, reason: string) => Promise<boolean>> = {
    retry: async (id) => (await actions.retry.run({ id })) !== null,
    ship: async (id) => (await actions.ship.run({ id })) !== null,
    deliver: async (id) => (await actions.deliver.run({ id })) !== null,
    cancel: async (id, reason) => (await actions.cancel.run({ id, reason: reason || null })) !== null,
  }

  return {
    acts,
    pending: computed(() => all.some((action) => action.pending.value)),
    userErrors: computed(() => all.flatMap((action) => action.userErrors.value)),
    fault: computed(() => all.map((action) => action.fault.value).find((fault) => fault !== undefined)),
  }
}

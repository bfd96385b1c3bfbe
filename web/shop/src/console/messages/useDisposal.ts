import { computed, ref, shallowRef } from 'vue'
import { useAction } from '@/graphql/useAction'
import { DiscardMutation, ReplayMutation } from './documents'
import { lookAhead, runRounds } from './rounds'
import type { Batch, Handled, Progress } from './rounds'

export type Disposal = 'replay' | 'discard'

/** Replays or discards dead letters: first a look at what would happen, then rounds that can be stopped. */
export function useDisposal(disposal: Disposal) {
  const replay = useAction(ReplayMutation)
  const discard = useAction(DiscardMutation)
  const action = disposal === 'replay' ? replay : discard

  const state = ref<'looking' | 'ready' | 'running' | 'stopping' | 'done'>('looking')
  const plan = shallowRef<Progress | null>(null)
  const progress = shallowRef<Progress | null>(null)
  const isComplete = ref(false)

  async function ask(batch: Batch, until: string | null, dryRun: boolean, reason: string): Promise<Handled | null> {
    const { service, queue = null, ids = null, all = false } = batch
    const which = { service, queue, ids, all, until, dryRun }
    if (disposal === 'replay') return (await replay.run(which))?.handled ?? null
    return (await discard.run({ ...which, reason }))?.handled ?? null
  }

  async function look(batches: readonly Batch[]) {
    state.value = 'looking'
    // A reason is due for a look, too; the one that counts is given with the act.
    plan.value = await lookAhead(batches, (batch) => ask(batch, null, true, 'dry run'))
    state.value = 'ready'
  }

  async function run(batches: readonly Batch[], reason: string) {
    state.value = 'running'
    isComplete.value = await runRounds(batches, (batch, until) => ask(batch, until, false, reason), {
      isStopped: () => state.value === 'stopping',
      tell: (now) => (progress.value = now),
    })
    state.value = 'done'
  }

  return {
    state,
    plan,
    progress,
    isComplete,
    userErrors: computed(() => action.userErrors.value),
    fault: computed(() => action.fault.value),
    look,
    run,
    stop: () => (state.value = 'stopping'),
  }
}

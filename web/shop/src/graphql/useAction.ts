import { useMutation } from '@urql/vue'
import type { CombinedError, TypedDocumentNode } from '@urql/core'
import { ref, shallowRef } from 'vue'
import type { Ref } from 'vue'
import type { UserError } from './errors'

/** What a mutation's payload always has. */
type Payload = { userErrors: readonly UserError[] } | null

/** An act that has no answer yet: its key, and what was asked for, as text. */
export interface Attempt {
  key: string
  input: string
}

/**
 * A mutation as a page uses it: one at a time, with its errors, and with an idempotency key of its own.
 *
 * The key is kept until the server has said what became of the act: pressing the button again after a lost answer
 * repeats the same act instead of doing it twice. Other input is another act, and gets another key. Where `attempt` is
 * stored, that holds over a reload, too.
 */
export function useAction<Data extends Record<string, Payload>, Input extends object>(
  document: TypedDocumentNode<Data, { input: Input & { idempotencyKey?: string | null } }>,
  attempt: Ref<Attempt | null> = ref(null),
) {
  const { executeMutation } = useMutation(document)
  const pending = ref(false)
  const userErrors = shallowRef<readonly UserError[]>([])
  const fault = shallowRef<CombinedError>()

  /** The payload if it happened; null if not: then `userErrors` or `fault` say why. */
  async function run(input: Omit<Input, 'idempotencyKey'>): Promise<NonNullable<Data[keyof Data]> | null> {
    if (pending.value) return null
    const asText = JSON.stringify(input)
    if (attempt.value?.input !== asText) attempt.value = { key: newKey(), input: asText }

    pending.value = true
    userErrors.value = []
    fault.value = undefined
    const variables = { input: { ...input, idempotencyKey: attempt.value.key } } as { input: Input }
    const result = await executeMutation(variables).finally(() => (pending.value = false))

    fault.value = result.error
    if (!result.error) attempt.value = null
    const payload = Object.values(result.data ?? {})[0] as Data[keyof Data] | undefined
    userErrors.value = payload?.userErrors ?? []
    return payload && userErrors.value.length === 0 ? payload : null
  }

  return { run, pending, userErrors, fault }
}

/** A random UUID; `crypto.randomUUID` is missing where a shop is tried over plain http from another machine. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

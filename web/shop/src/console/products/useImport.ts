import { computed, ref, shallowRef } from 'vue'
import { useAction } from '@/graphql/useAction'
import { useErrorText, useFaultText } from '@/ui/useErrorText'
import { planImport } from './csv'
import type { Line, Plan } from './csv'
import { CreateProductMutation, UpdateProductMutation } from './documents'
import { formOf, toCreateInput, toUpdateInput } from './productForm'
import { useWholeCatalogue } from './useProducts'

export interface Failure {
  line: Line
  reason: string
}

/** Brings a list of products in: first a plan of what each line would do, then one line after the other. */
export function useImport() {
  const textOf = useErrorText('console')
  const faultText = useFaultText()
  const { readProducts, readCategories } = useWholeCatalogue()
  const creation = useAction(CreateProductMutation)
  const change = useAction(UpdateProductMutation)

  const state = ref<'empty' | 'reading' | 'planned' | 'running' | 'stopping' | 'done'>('empty')
  const plan = shallowRef<Plan | null>(null)
  const done = ref(0)
  const failures = shallowRef<Failure[]>([])
  const isUnreachable = ref(false)

  const due = computed(() => plan.value?.lines.filter(({ outcome }) => outcome === 'create' || outcome === 'update') ?? [])

  async function read(file: File) {
    state.value = 'reading'
    isUnreachable.value = false
    try {
      const [text, products, categories] = await Promise.all([file.text(), readProducts(null), readCategories()])
      plan.value = planImport(text, { products, categories })
      state.value = 'planned'
    } catch {
      isUnreachable.value = true
      state.value = 'empty'
    }
  }

  /** Why a line did not work; null if it did. */
  async function bring(line: Line): Promise<string | null> {
    const action = line.existing ? change : creation
    const payload = line.existing
      ? await change.run(updateOf(line, line.existing))
      : await creation.run(toCreateInput(line.form, line.stockQuantity ?? 0))
    if (payload) return null
    const [error] = action.userErrors.value
    if (error) return textOf(error)
    return action.fault.value ? faultText(action.fault.value) : null
  }

  function updateOf(line: Line, existing: NonNullable<Line['existing']>) {
    const input = toUpdateInput(existing.id, line.form, formOf(existing), existing.version)
    return line.changes.includes('stockQuantity') ? { ...input, stockQuantity: line.stockQuantity } : input
  }

  async function run() {
    state.value = 'running'
    done.value = 0
    failures.value = []
    for (const line of due.value) {
      if (state.value !== 'running') break
      const reason = await bring(line)
      if (reason) failures.value = [...failures.value, { line, reason }]
      done.value += 1
    }
    state.value = 'done'
  }

  function reset() {
    plan.value = null
    state.value = 'empty'
  }

  return { state, plan, due, done, failures, isUnreachable, read, run, reset, stop: () => (state.value = 'stopping') }
}

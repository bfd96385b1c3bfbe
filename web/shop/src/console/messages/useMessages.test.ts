import { flushPromises } from '@vue/test-utils'
import { expect, it } from 'vitest'
import { onTestPage } from '@/graphql/onTestPage'
import { useActs } from './useMessages'

const PER_PAGE = 2

/** A page of acts, of so many that there are. */
async function actsOf(count: number) {
  const { used } = onTestPage(
    () => useActs(PER_PAGE),
    ({ variables: { first } }) => ({
      operatorActs: Array.from({ length: Math.min(first, count) }, (_, index) => ({ id: `${index + 1}` })),
    }),
  )
  await flushPromises()
  return { ids: used.acts.value.map(({ id }) => id), next: used.next.value }
}

it('the last page of acts is known as such, though it is full', async () => {
  expect(await actsOf(1)).toEqual({ ids: ['1'], next: null })
  expect(await actsOf(PER_PAGE)).toEqual({ ids: ['1', '2'], next: null })
  expect(await actsOf(PER_PAGE + 1)).toEqual({ ids: ['1', '2'], next: '2' })
})

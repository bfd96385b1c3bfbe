import { Client, fetchExchange } from '@urql/core'
import { provideClient } from '@urql/vue'
import { flushPromises, mount } from '@vue/test-utils'
import { defineComponent, h } from 'vue'
import { expect, it } from 'vitest'
import { useActs } from './useMessages'

const PER_PAGE = 2

/** A page of acts, of so many that there are. */
async function actsOf(count: number) {
  const client = new Client({
    url: 'http://shop.example/graphql',
    preferGetMethod: false,
    exchanges: [fetchExchange],
    fetch: (_, init) => {
      const { first } = JSON.parse(String(init?.body)).variables
      const operatorActs = Array.from({ length: Math.min(first, count) }, (_, index) => ({ id: `${index + 1}` }))
      return Promise.resolve(Response.json({ data: { operatorActs } }))
    },
  })
  let query: ReturnType<typeof useActs> | undefined
  const Inner = defineComponent(() => {
    query = useActs(PER_PAGE)
    return () => null
  })
  mount(
    defineComponent(() => {
      provideClient(client)
      return () => h(Inner)
    }),
  )
  await flushPromises()
  return { ids: query?.acts.value.map(({ id }) => id), next: query?.next.value }
}

it('the last page of acts is known as such, though it is full', async () => {
  expect(await actsOf(1)).toEqual({ ids: ['1'], next: null })
  expect(await actsOf(PER_PAGE)).toEqual({ ids: ['1', '2'], next: null })
  expect(await actsOf(PER_PAGE + 1)).toEqual({ ids: ['1', '2'], next: '2' })
})

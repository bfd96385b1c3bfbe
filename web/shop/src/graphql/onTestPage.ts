import { Client, fetchExchange } from '@urql/core'
import { provideClient } from '@urql/vue'
import { mount } from '@vue/test-utils'
import { defineComponent, h } from 'vue'
import type { Plugin } from 'vue'

/** A question as it reaches the gateway. */
export interface Asked {
  operationName: string
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each question has its own
  variables: Record<string, any>
}

/** For tests: uses a composable as a page does, in front of a gateway with these answers; what they throw is a lost connection. */
export function onTestPage<Used>(use: () => Used, answer: (asked: Asked) => unknown, plugins: Plugin[] = []) {
  const client = new Client({
    url: 'http://shop.example/graphql',
    preferGetMethod: false,
    exchanges: [fetchExchange],
    fetch: async (_, init) => Response.json({ data: await answer(JSON.parse(String(init?.body))) }),
  })
  let used: Used | undefined
  const Inner = defineComponent(() => {
    used = use()
    return () => null
  })
  const page = mount(
    defineComponent(() => {
      provideClient(client)
      return () => h(Inner)
    }),
    { global: { plugins } },
  )
  if (used === undefined) throw new Error('nothing was mounted')
  return { used, page }
}

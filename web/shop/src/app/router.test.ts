import { ref } from 'vue'
import { describe, expect, it } from 'vitest'
import type { Session } from '@/graphql/session'
import { createShopRouter } from './router'

type Texts = { [key: string]: string | Texts }

// As they are written: the build turns them into compiled messages.
const written = import.meta.glob<string>('../**/i18n/en.json', { eager: true, import: 'default', query: '?raw' })
const texts: Texts = Object.assign({}, ...Object.values(written).map((text) => JSON.parse(text)))
const textOf = (key: string) =>
  key.split('.').reduce<string | Texts | undefined>((found, part) => (found as Texts | undefined)?.[part], texts)

const nobody = { user: ref(null), isAdmin: ref(false), restored: Promise.resolve() } as unknown as Session
const pages = createShopRouter(nobody)
  .getRoutes()
  .filter(({ children }) => children.length === 0)

describe('the title of a page', () => {
  it.each(pages.map(({ name, meta }) => [name, meta.title]))('is a text before its data is known: %s', (_, title) => {
    expect(textOf(title ?? '')).toEqual(expect.any(String))
  })
})

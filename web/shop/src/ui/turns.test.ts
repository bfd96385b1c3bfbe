import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import LaterPart from './LaterPart.vue'
import { endFirstPage, usePageTurn } from './turns'

beforeEach(() => void vi.useFakeTimers({ toFake: ['requestAnimationFrame', 'setTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** What stands around a page, as the shop's layout does. */
const layout = () =>
  mount(
    defineComponent(() => {
      const hasPage = usePageTurn()
      return () => h('div', [part('tools '), hasPage.value ? 'page' : ''])
    }),
  )

const part = (name: string) => h(LaterPart, null, () => name)
const page = () => mount(defineComponent(() => () => h('main', ['title', part(' one'), part(' two')])))

/** The next frame, and the task after it. */
async function nextTurn() {
  await vi.advanceTimersByTimeAsync(0)
  vi.advanceTimersToNextFrame()
  await vi.advanceTimersByTimeAsync(1)
}

it('renders what stands around the first page, then the page, then what is out of sight', async () => {
  const shop = layout()
  expect(shop.text()).toBe('')
  await vi.advanceTimersByTimeAsync(0)
  expect(shop.text()).toBe('page')
  for (let turn = 0; turn < 2; turn++) await nextTurn()
  expect(shop.text()).toBe('tools page')
})

it('renders the first page part by part, when its first pictures are there, and the next one at once', async () => {
  let show = () => {}
  const picture = document.body.appendChild(document.createElement('img'))
  picture.decode = () => new Promise((resolve) => (show = resolve))
  const first = page()
  await nextTurn()
  expect(first.text()).toBe('title')
  show()
  for (const text of ['title', 'title one', 'title one two']) {
    expect(first.text()).toBe(text)
    await nextTurn()
  }
  endFirstPage()
  expect(page().text()).toBe('title one two')
  expect(layout().text()).toBe('tools page')
})

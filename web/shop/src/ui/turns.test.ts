import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import LaterPart from './LaterPart.vue'
import { endFirstPage } from './turns'

beforeEach(() => void vi.useFakeTimers({ toFake: ['requestAnimationFrame', 'setTimeout'] }))
afterEach(() => void vi.useRealTimers())

function page() {
  const part = (name: string) => h(LaterPart, null, () => name)
  return mount(defineComponent(() => () => h('main', ['title', part(' one'), part(' two')])))
}

it('renders the first page part by part, and the next one at once', async () => {
  const first = page()
  for (const text of ['title', 'title one', 'title one two']) {
    expect(first.text()).toBe(text)
    vi.advanceTimersToNextFrame()
    await vi.advanceTimersByTimeAsync(1)
  }
  endFirstPage()
  expect(page().text()).toBe('title one two')
})

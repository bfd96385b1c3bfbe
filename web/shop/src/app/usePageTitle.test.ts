import { mount } from '@vue/test-utils'
import { defineComponent, nextTick, ref } from 'vue'
import { expect, it } from 'vitest'
import { showTitles, usePageTitle } from './usePageTitle'

it('the title is what the page calls itself, else what its route is called', async () => {
  const route = ref('Products')
  const name = ref<string>()
  showTitles(() => route.value)
  expect(document.title).toBe('Products · Prost')

  const page = mount(defineComponent(() => (usePageTitle(() => name.value), () => null)))
  name.value = 'Riesling'
  await nextTick()
  expect(document.title).toBe('Riesling · Prost')

  // As with another page of the same list, or another language.
  route.value = 'Produkte'
  await nextTick()
  expect(document.title).toBe('Riesling · Prost')

  name.value = undefined
  await nextTick()
  expect(document.title).toBe('Produkte · Prost')

  name.value = 'Kabinett'
  page.unmount()
  await nextTick()
  expect(document.title).toBe('Produkte · Prost')
})

it('a page that goes takes no title away from the one that came', async () => {
  showTitles(() => 'Home')
  const gone = mount(defineComponent(() => (usePageTitle(() => 'Riesling'), () => null)))
  mount(defineComponent(() => (usePageTitle(() => 'Cart'), () => null)))
  gone.unmount()
  await nextTick()
  expect(document.title).toBe('Cart · Prost')
})

import { mount } from '@vue/test-utils'
import { expect, it } from 'vitest'
import QuantityStepper from './QuantityStepper.vue'

/** A stepper in a page that keeps what it says. */
function stepper(modelValue: number) {
  const wrapper = mount(QuantityStepper, {
    props: { modelValue, label: 'Quantity', max: 5, 'onUpdate:modelValue': (value: number) => wrapper.setProps({ modelValue: value }) },
    global: { mocks: { $t: (key: string) => key } },
  })
  return wrapper
}

it('goes up and down by one', async () => {
  const wrapper = stepper(2)
  const [fewer, more] = wrapper.findAll('button')
  await more?.trigger('click')
  expect(wrapper.props('modelValue')).toBe(3)
  await fewer?.trigger('click')
  await fewer?.trigger('click')
  await fewer?.trigger('click')
  expect(wrapper.props('modelValue')).toBe(1)
})

it.each([
  ['4', 4],
  ['40', 5],
  ['0', 2],
  ['-3', 1],
  ['2.7', 2],
  ['', 2],
])('understands %j as %i', async (text, quantity) => {
  const wrapper = stepper(2)
  await wrapper.find('input').setValue(text)
  expect(wrapper.props('modelValue')).toBe(quantity)
  expect(wrapper.find('input').element.value).toBe(String(quantity))
})

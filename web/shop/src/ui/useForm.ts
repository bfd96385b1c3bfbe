import { nextTick, useTemplateRef } from 'vue'
import type { ComponentPublicInstance } from 'vue'
import { fieldErrors } from '@/graphql/errors'
import type { UserError } from '@/graphql/errors'
import { useErrorText } from './useErrorText'

type FormInstance = ComponentPublicInstance & { setErrors: (errors: { name: string; message: string }[]) => void }

/** The form of a page (`<UForm ref="form" @error="focusFirstError">`): shows errors at their fields, and leads to the first. */
export function useForm(domain: string) {
  const form = useTemplateRef<FormInstance>('form')
  const textOf = useErrorText(domain)

  async function focusFirstError() {
    await nextTick()
    const element: unknown = form.value?.$el
    if (element instanceof HTMLElement) element.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }

  /** What the server refused, at the fields that are to blame. */
  async function showErrors(errors: readonly UserError[]) {
    const atFields = fieldErrors(errors, textOf)
    // The form is unlocked again once its submission is over.
    await nextTick()
    form.value?.setErrors(atFields)
    await focusFirstError()
  }

  return { showErrors, focusFirstError }
}

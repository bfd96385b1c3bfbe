import { useI18n } from 'vue-i18n'
import type { UserError } from '@/graphql/errors'
import { fieldErrors } from '@/graphql/errors'
import { useErrorText } from '@/ui/useErrorText'
import { problemsOf } from './productForm'
import type { ProductForm } from './productForm'

/** Fields of the gateway's input that the form calls otherwise. */
const FORM_NAMES: Record<string, string> = { imageUrl: 'images', 'price.amount': 'price', 'price.currencyCode': 'currencyCode' }

/** The form's own rules, and what the server says, as errors beside their fields. */
export function useProductRules() {
  const { t } = useI18n()
  const textOf = useErrorText('console')

  const formName = (name: string) => FORM_NAMES[name] ?? name.replace(/^images\..*/, 'images')
  const beside = (errors: readonly UserError[]) =>
    fieldErrors(errors, textOf).map(({ name, message }) => ({ name: formName(name), message }))

  return {
    validate: (form: Partial<ProductForm>) =>
      problemsOf(form as ProductForm).map(({ name, problem }) => ({
        name,
        message: t(`consoleProducts.problems.${name}_${problem}`),
      })),
    beside,
    /** Errors that belong to no field. */
    elsewhere: (errors: readonly UserError[]) => errors.filter((error) => !error.field?.length),
  }
}

import { useI18n } from 'vue-i18n'
import type { UserError } from '@/graphql/errors'

/** What an error says, in the operator's language where the console knows its code; else in the server's words. */
export function useErrorTexts() {
  const { t, te } = useI18n()
  return {
    textOf: (error: UserError) => (te(`console.errors.${error.code}`) ? t(`console.errors.${error.code}`) : error.message),
  }
}

import { useI18n } from 'vue-i18n'
import { faultsOf } from './accountRules'

/** The rules of an account as a form asks for them: `<FieldForm :rules="() => rulesOf(form)" …>`. */
export function useAccountRules() {
  const { t } = useI18n()
  return (fields: Parameters<typeof faultsOf>[0]) => faultsOf(fields).map(({ name, key }) => ({ name, message: t(key) }))
}

import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { useCatalogLanguage } from './useCatalogLanguage'

/** What the catalogue says of a department, translated where the shop knows the words; else marked as what it is. */
export function useDepartmentText() {
  const { locale, getLocaleMessage } = useI18n()
  const catalogLanguage = useCatalogLanguage()
  const known = computed(
    () => (getLocaleMessage(locale.value) as { departments?: Record<string, string> }).departments ?? {},
  )
  const isKnown = (text: string | null | undefined): text is string => typeof text === 'string' && Object.hasOwn(known.value, text)
  return {
    /** A department's name or description. */
    departmentText: (text: string | null | undefined) => (isKnown(text) ? known.value[text] : text) ?? '',
    /** The `lang` of that. */
    departmentLang: (text: string | null | undefined) => (isKnown(text) ? undefined : catalogLanguage.value),
  }
}

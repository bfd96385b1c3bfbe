import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

/** What the catalogue is written in. Only the names of departments are translated, see `useDepartmentText`. */
const CATALOG_LANGUAGE = 'en'

/** The `lang` of the catalogue's texts, for whoever reads them out; none where the page speaks it anyway. */
export function useCatalogLanguage() {
  const { locale } = useI18n()
  return computed(() => (locale.value === CATALOG_LANGUAGE ? undefined : CATALOG_LANGUAGE))
}

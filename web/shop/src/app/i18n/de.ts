import cart from '@/cart/i18n/de.json'
import { departments } from '@/catalog/departments.de'
import catalog from '@/catalog/i18n/de.json'
import ui from '@/ui/i18n/de.json'
import app from './de.json'

/** What every page may show. The texts of other parts come with their routes. */
export default { ...app, ...ui, ...catalog, ...cart, departments }

import cart from '@/cart/i18n/en.json'
import catalog from '@/catalog/i18n/en.json'
import ui from '@/ui/i18n/en.json'
import app from './en.json'

/** What every page may show. The texts of other parts come with their routes. */
export default { ...app, ...ui, ...catalog, ...cart }

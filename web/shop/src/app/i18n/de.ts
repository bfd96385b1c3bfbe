import account from '@/account/i18n/de.json'
import cart from '@/cart/i18n/de.json'
import catalog from '@/catalog/i18n/de.json'
import checkout from '@/checkout/i18n/de.json'
import demo from '@/demo/i18n/de.json'
import orders from '@/orders/i18n/de.json'
import ui from '@/ui/i18n/de.json'
import app from './de.json'

export default { ...app, ...ui, ...catalog, ...cart, ...checkout, ...orders, ...account, ...demo }

import customers from '../customers/i18n/de.json'
import messages from '../messages/i18n/de.json'
import orders from '../orders/i18n/de.json'
import overview from '../overview/i18n/de.json'
import products from '../products/i18n/de.json'
import shell from './de.json'

export default { ...shell, ...overview, ...orders, ...products, ...messages, ...customers }

// A small file of its own, which runs while the application is still being loaded. It asks for what the page will show,
// for the first pictures of it, and for the parts of the application that only this page needs: all at once instead of
// one after the other. Over a slow network that is a second less of waiting.
import { firstQuestions } from '@/catalog/firstQuestions'
import { listPage, productPage } from '@/catalog/pages'
import { askAhead } from '@/graphql/headStart'
import { numberFormat, regionOf } from '@/ui/numberFormat'
import { preferredLocale, shellTexts } from './i18n/preferred'

// Whatever fails here is asked for again by who needs it, who also says so.
const ignore = () => undefined

shellTexts[preferredLocale()]().catch(ignore)

const { pathname } = location
if (pathname === '/products') listPage().catch(ignore)
if (pathname.startsWith('/products/')) productPage().catch(ignore)

for (const question of firstQuestions(location)) {
  askAhead(question)
    .then((data) => data && question.pictures(data).forEach(fetchPicture))
    .catch(ignore)
}

// The first one takes the browser longest: a phone 50 ms, which it has now, and not when it shows prices.
numberFormat(regionOf(preferredLocale()))

/** Into the browser's cache, where the page finds it; not ahead of the application. */
function fetchPicture(address: string) {
  fetch(address, { priority: 'low' }).catch(ignore)
}

// Lighthouse's judgement of the pages that a visitor sees first, as the gateway serves them: on a phone and on a desktop.
//
//   npm run build && npm run lighthouse
//
// A debug build of prost serves what was built last; a release build what it was built with. PROST names the binary.
// With SHOP=http://… a running shop is judged. Performance depends on what else the machine does: the median of RUNS (3)
// counts. It fails where a score is below its least.
import process, { argv, env } from 'node:process'
import { launch } from 'chrome-launcher'
import lighthouse from 'lighthouse'
import { startProst } from '../browser/shop.js'
import { CHROME, DEVICES, LEAST, firstPages } from './judge.js'

const RUNS = Number(env.RUNS ?? 3)
const wanted = argv.slice(2)

/** Each category's scores in order, and what cost points in the worst run. */
async function judge(url, device, port) {
  const reports = []
  for (let run = 0; run < RUNS; run++) {
    const flags = { port, output: 'json', onlyCategories: Object.keys(LEAST), logLevel: 'error' }
    const { lhr } = await lighthouse(url, flags, DEVICES[device])
    if (lhr.runtimeError) throw new Error(lhr.runtimeError.message)
    reports.push(lhr)
  }
  const scores = Object.keys(LEAST).map((category) => ({
    category,
    sorted: reports.map((report) => report.categories[category].score).sort((a, b) => a - b),
  }))
  return { scores, faults: faultsOf(reports) }
}

function faultsOf(reports) {
  const lines = reports.flatMap((report) =>
    Object.values(report.categories)
      .flatMap((category) => category.auditRefs)
      .map(({ id }) => report.audits[id])
      .filter(({ score }) => score !== null && score < 0.9)
      .map(({ id, displayValue }) => `      ${id} ${displayValue ?? ''}`),
  )
  return [...new Set(lines)].sort()
}

const median = (sorted) => sorted[Math.floor(sorted.length / 2)]
const isEnough = ({ category, sorted }) => median(sorted) >= LEAST[category]

function print(page, device, { scores, faults }) {
  const text = ({ category, sorted }) => `${category} ${median(sorted)} (${sorted[0]}–${sorted.at(-1)})`
  console.log(`${scores.every(isEnough) ? 'ok  ' : 'FAIL'}  ${page}, ${device}: ${scores.map(text).join(', ')}`)
  if (faults.length > 0) console.log(faults.join('\n'))
}

async function judgeAll(shop, port) {
  const verdicts = []
  for (const [page, path] of Object.entries(await firstPages(shop))) {
    if (wanted.length > 0 && !wanted.includes(page)) continue
    for (const device of Object.keys(DEVICES)) {
      const verdict = await judge(shop + path, device, port)
      print(page, device, verdict)
      verdicts.push(...verdict.scores)
    }
  }
  return verdicts.every(isEnough)
}

const own = env.SHOP ? null : await startProst()
const chrome = await launch(CHROME)
try {
  const isFine = await judgeAll(env.SHOP ?? own.origin, chrome.port)
  if (!isFine) process.exitCode = 1
} finally {
  chrome.kill()
  await own?.prost('reset', '--yes')
}

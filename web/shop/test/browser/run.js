// Runs the browser tests, file after file: `npm run test:browser`, or those whose files are named.
//
// A test that fails now and then is a defect, and is not tried twice. But a machine that checks changes is often shared:
// where CI=true, as for the tests in Rust, a file with a failure is run once more at the end, with a shop of its own as
// ever. What failed first is then named FLAKY: a defect to be found. What fails again fails the run.
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import process, { argv, env } from 'node:process'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const everyFile = () => readdirSync(here).filter((name) => name.endsWith('.test.js')).map((name) => here + name)

/** Runs test files, tells how it goes, and answers what failed: each test, and its file. */
async function failuresOf(files) {
  const failures = []
  const events = run({ files, concurrency: 1 })
  events.on('test:fail', ({ name, file, details }) => {
    // A group fails with its tests, which are named already.
    if (details.error.failureType !== 'subtestsFailed') failures.push({ name, file })
  })
  for await (const text of events.compose(spec)) process.stdout.write(text)
  return failures
}

let failures = await failuresOf(argv.length > 2 ? argv.slice(2) : everyFile())
if (failures.length > 0 && env.CI === 'true') {
  const first = failures
  failures = await failuresOf([...new Set(first.map(({ file }) => file))])
  if (failures.length === 0) for (const { name, file } of first) console.log(`FLAKY ${basename(file)}: ${name}`)
}
process.exitCode = failures.length > 0 ? 1 : 0

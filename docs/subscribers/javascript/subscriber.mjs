// Writes the pictures of a topic as files, DIR/<camera>/<epoch>-<sequence>.jpg; ../README.md says what for.
//
//   node subscriber.mjs --bootstrap localhost:9092 --topic frames.processed --to DIR [--group NAME] [--count N]
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Consumer, stringDeserializer } from '@platformatic/kafka'

const NAME = /^([A-Za-z0-9][A-Za-z0-9._-]{0,127})\/([A-Za-z0-9@._-]{1,200})\/([0-9]{1,19})$/
const SUFFIXES = { 'image/png': 'png', 'image/webp': 'webp' }
const REMEMBERED = 10_000

const options = parseArgs({
  options: {
    bootstrap: { type: 'string', default: 'localhost:9092' },
    topic: { type: 'string', default: 'frames.processed' },
    to: { type: 'string', default: 'frames' },
    group: { type: 'string', default: 'subscriber-javascript' },
    count: { type: 'string', default: 'Infinity' }
  }
}).values
const seen = new Set()

// The pictures stay bytes; keys and headers are UTF-8.
const consumer = new Consumer({
  clientId: 'framelane-subscriber',
  groupId: options.group,
  bootstrapBrokers: options.bootstrap.split(','),
  deserializers: { key: stringDeserializer, headerKey: stringDeserializer, headerValue: stringDeserializer },
  autocommit: false,
  sessionTimeout: 10_000, // so soon others take over from one that was killed
  highWaterMark: 64 // so many pictures wait in memory
})
let stopped = false
let left = Number(options.count)
try {
  const stream = await consumer.consume({ topics: [options.topic], mode: 'committed', fallbackMode: 'earliest' })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => { stopped = true; stream.close() })
  for await (const message of stream) {
    await take(message)
    await message.commit() // only now that the file is there
    if (--left <= 0 || stopped) break
  }
} finally {
  await consumer.close(true)
}
if (stopped) process.exitCode = 130

async function take({ key, value, headers, topic, partition, offset }) {
  // A record without headers is named by where it lies.
  const id = headers.get('ce_id') ?? `${key}/@${topic}-${partition}/${offset}`
  const [, camera, epoch, sequence] = NAME.exec(id) ?? []
  if (!camera || camera !== key || !value?.length) return console.error(`no frame: ${topic}/${partition}/${offset}`)
  const identity = `${headers.get('ce_source') ?? `/cameras/${camera}`} ${id}`
  if (seen.has(identity)) return console.error(`repeated: ${identity}`)
  const file = join(options.to, camera, `${epoch}-${sequence}.${SUFFIXES[headers.get('content-type')] ?? 'jpg'}`)
  await mkdir(join(options.to, camera), { recursive: true })
  await writeFile(`${file}.part`, value)
  await rename(`${file}.part`, file) // whole or not at all
  seen.add(identity)
  if (seen.size > REMEMBERED) seen.delete(seen.values().next().value)
  console.log(`${camera} ${id}`)
}

// A camera: publishes the JPEG files of a folder, in the order of their names; ../README.md says what for.
//
//   node producer.mjs --bootstrap localhost:9092 --topic frames.raw --camera gate-1 [--fps 10] FOLDER
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { compatibilityPartitioner, ProduceAcks, Producer, stringSerializer } from '@platformatic/kafka'

const { values: options, positionals: [folder] } = parseArgs({
  allowPositionals: true,
  options: {
    bootstrap: { type: 'string', default: 'localhost:9092' },
    topic: { type: 'string', default: 'frames.raw' },
    camera: { type: 'string', default: '' },
    fps: { type: 'string', default: '10' }
  }
})
const camera = options.camera
if (!folder || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(camera) || !(Number(options.fps) > 0)) {
  console.error('usage: node producer.mjs --camera ID [--bootstrap HOST:PORT] [--topic TOPIC] [--fps N] FOLDER')
  process.exit(2)
}
const producer = new Producer({
  clientId: 'framelane-producer',
  bootstrapBrokers: options.bootstrap.split(','),
  serializers: { key: stringSerializer, headerKey: stringSerializer, headerValue: stringSerializer },
  // murmur2 as Java and librdkafka have it. The client's own default sends half of all cameras elsewhere.
  partitioner: compatibilityPartitioner,
  acks: ProduceAcks.ALL,
  idempotent: true // a frame that is sent again is not there twice
})
// A new name for each run, in which the frames are numbered from 0.
const epoch = `${new Date().toISOString().replace(/[-:.Z]/g, '')}-${randomBytes(2).toString('hex')}`
const stop = new AbortController()
const stopped = once(stop.signal, 'abort')
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort())
let sequence = 0
try {
  for (const name of (await readdir(folder)).filter(name => /\.jpe?g$/i.test(name)).sort()) {
    const value = await readFile(join(folder, name))
    const capturedMs = Date.now()
    const headers = {
      'content-type': 'image/jpeg',
      ce_specversion: '1.0',
      ce_type: 'io.framelane.frame.v1',
      ce_source: `/cameras/${camera}`,
      ce_id: `${camera}/${epoch}/${sequence}`,
      ce_time: new Date(capturedMs).toISOString(),
      ce_epoch: epoch,
      ce_frameseq: `${sequence}`,
      ce_capturedns: `${BigInt(capturedMs) * 1_000_000n}`
    }
    const message = { topic: options.topic, key: camera, value, headers, timestamp: BigInt(capturedMs) }
    // Waits until the broker has the frame, however long it is away: so the order is kept.
    const sent = await Promise.race([producer.send({ messages: [message] }), stopped.then(() => undefined)])
    if (!sent) break
    console.log(headers.ce_id)
    sequence += 1
    await Promise.race([sleep(1000 / Number(options.fps)), stopped])
  }
} finally {
  if (stop.signal.aborted) process.exit(130) // waits for no broker
  await producer.close()
}

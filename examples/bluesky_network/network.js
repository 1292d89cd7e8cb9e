// A Bluesky network on 127.0.0.1: directory (PLC), server of the accounts (PDS), AppView, a feed
// of all posts, and their PostgreSQL. Says where they are in a line of JSON when they are ready,
// and when its standard input ends it stops them all and removes what they wrote, so that nothing
// outlives who started it.
//
//   node --require ./loopback.js network.js FOLDER PORT POSTGRES ARGUMENT..
//
// starts PostgreSQL, which will listen at PORT, by the command POSTGRES ARGUMENT.., and removes
// FOLDER in the end.
'use strict'
const { spawn } = require('node:child_process')
const fs = require('node:fs')
const net = require('node:net')
const kit = require('@atproto/dev-env')
const { createFeed } = require('./feed.js')

const [folder, postgresPort, ...postgresCommand] = process.argv.slice(2)
const dbUrl = `postgres://pg@127.0.0.1:${postgresPort}/postgres`
const started = []

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const startPostgres = () =>
  new Promise((resolve, reject) => {
    const [command, ...args] = postgresCommand
    const postgres = spawn(command, args, { stdio: ['ignore', 'inherit', 'pipe'] })
    const exited = new Promise((done) => postgres.once('exit', done))
    started.push({
      close: () => {
        postgres.kill('SIGINT') // "fast shutdown"
        return exited
      },
    })
    postgres.once('error', reject)
    exited.then((code) => reject(new Error(`PostgreSQL ended with ${code}`)))
    postgres.stderr.on('data', (text) => {
      process.stderr.write(text)
      if (String(text).includes('ready to accept connections')) resolve()
    })
  })

const start = async (part) => {
  started.push(part)
  return part
}

const main = async () => {
  await startPostgres()
  const plc = await start(await kit.TestPlc.create({ port: await freePort() }))
  const bsyncKey = 'bsync'
  const bsync = await start(
    await kit.TestBsync.create({
      port: await freePort(),
      apiKeys: [bsyncKey],
      dbUrl,
      dbSchema: 'bsync',
    }),
  )
  const pdsPort = await freePort()
  const bsky = await start(
    await kit.TestBsky.create({
      port: await freePort(),
      plcUrl: plc.url,
      pdsPort,
      bsyncApiKey: bsyncKey,
      bsyncUrl: bsync.url,
      repoProvider: `ws://localhost:${pdsPort}`,
      dbPostgresUrl: dbUrl,
      dbPostgresSchema: 'appview',
      labelsFromIssuerDids: [],
    }),
  )
  bsync.ctx.dataplaneClients = [bsky.ctx.dataplane]
  const pds = await start(
    await kit.TestPds.create({
      port: pdsPort,
      hostname: 'localhost',
      didPlcUrl: plc.url,
      bskyAppViewUrl: bsky.url,
      bskyAppViewDid: bsky.ctx.cfg.serverDid,
    }),
  )
  kit.mockNetworkUtilities(pds, bsky)
  const feed = await start(await createFeed(plc.url, bsky))
  const where = { service: pds.url, appview: bsky.url, feed_did: feed.did }
  process.stdout.write(JSON.stringify(where) + '\n')
}

let stopping
const stop = (code) => {
  stopping ??= (async () => {
    setTimeout(() => process.exit(1), 20_000).unref()
    const postgres = started.shift()
    for (const part of started.reverse()) await part.close().catch(console.error)
    await postgres?.close()
    fs.rmSync(folder, { recursive: true, force: true })
    process.exit(code)
  })()
}

console.log = console.error // standard output is for the one line
process.stdin.on('end', () => stop(0)).on('error', () => stop(0)).resume()
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop(0))
main().catch((error) => {
  console.error(error)
  stop(1)
})

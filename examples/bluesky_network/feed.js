// A feed generator with the newest posts of everyone, whatever a feed of it is called.
'use strict'
const http = require('node:http')
const plc = require('@did-plc/lib')
const { Secp256k1Keypair } = require('@atproto/crypto')

const page = async (bsky, parameters) => {
  const offset = Number(parameters.get('cursor') ?? 0)
  const posts = await bsky.db.db
    .selectFrom('post')
    .select('uri as post')
    .orderBy('sortAt', 'desc')
    .orderBy('uri', 'desc')
    .offset(offset)
    .limit(Number(parameters.get('limit') ?? 50))
    .execute()
  return { feed: posts, cursor: posts.length ? String(offset + posts.length) : undefined }
}

// Tells the directory where the generator is; returns its DID.
const register = async (plcUrl, endpoint) => {
  const key = await Secp256k1Keypair.create()
  const operation = await plc.signOperation(
    {
      type: 'plc_operation',
      verificationMethods: { atproto: key.did() },
      rotationKeys: [key.did()],
      alsoKnownAs: [],
      services: { bsky_fg: { type: 'BskyFeedGenerator', endpoint } },
      prev: null,
    },
    key,
  )
  const did = await plc.didForCreateOp(operation)
  await new plc.Client(plcUrl).sendOperation(did, operation)
  return did
}

exports.createFeed = async (plcUrl, bsky) => {
  const server = http.createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://localhost')
    page(bsky, searchParams).then(
      (body) => {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(body))
      },
      (error) => {
        console.error(error)
        response.writeHead(500).end()
      },
    )
  })
  await new Promise((resolve) => server.listen(0, resolve))
  const did = await register(plcUrl, `http://localhost:${server.address().port}`)
  const close = async () => {
    server.close()
    server.closeAllConnections()
  }
  return { did, close }
}

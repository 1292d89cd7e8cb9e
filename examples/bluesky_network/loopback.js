// The kit's servers listen on every interface: this makes every server listen on 127.0.0.1.
'use strict'
const net = require('node:net')

const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...args) {
  const [first] = args
  if (first !== null && typeof first === 'object' && first.port !== undefined) {
    args[0] = { ...first, host: '127.0.0.1' }
  } else if (typeof first === 'number' || first === undefined || typeof first === 'function') {
    const callback = args.find((argument) => typeof argument === 'function')
    args = [{ port: typeof first === 'number' ? first : 0, host: '127.0.0.1' }]
    if (callback) args.push(callback)
  }
  return listen.apply(this, args)
}

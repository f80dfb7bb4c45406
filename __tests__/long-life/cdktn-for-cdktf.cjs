// Loaded first (node --require): whoever asks for cdktf, the library, the app or the provider's package, gets cdktn, the
// community's continuation, which has kept its module names.
const Module = require("node:module");

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  const asked = /^cdktf(\/|$)/.test(request) ? request.replace("cdktf", "cdktn") : request;
  return resolve.call(this, asked, ...rest);
};

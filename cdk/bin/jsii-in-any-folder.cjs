// Lets jsii compile in a folder whose path has a character outside of ASCII: TypeScript escapes such characters in the qualified names
// of a module's symbols ("/tmp/z\u00F6ne/lib/app".App), and jsii takes the text between the quotation marks for a path.
const path = require('node:path');

const jsii = path.dirname(require.resolve('jsii/package.json'));
const { Assembler } = require(path.join(jsii, 'lib', 'assembler.js'));

const { emit } = Assembler.prototype;
Assembler.prototype.emit = function (...parameters) {
  const checker = this._typeChecker;
  const { getFullyQualifiedName } = checker;
  checker.getFullyQualifiedName = (symbol) => getFullyQualifiedName(symbol)
    .replace(/^".*?"/, (module) => module.replace(/\\u([0-9A-F]{4})/gi, (_, code) => String.fromCharCode(parseInt(code, 16))));
  return emit.apply(this, parameters);
};

// A compiler that stays: one JSON request a line from stdin, one JSON answer a line to stdout.
"use strict";
const fs = require("fs");
const path = require("path");
const readline = require("readline");
const [soljson, root] = process.argv.slice(2);
const solc = require(soljson);
const files = new Map();

function text(string) {
  const size = solc.lengthBytesUTF8(string) + 1;
  const pointer = solc._solidity_alloc(size);
  solc.stringToUTF8(string, pointer, size);
  return pointer;
}

function read(_context, kind, name, contents, error) {
  const wanted = solc.UTF8ToString(name);
  if (!files.has(wanted)) {
    const file = path.resolve(root, wanted);
    files.set(wanted, fs.existsSync(file) ? fs.readFileSync(file, "utf8") : null);
  }
  const found = files.get(wanted);
  if (found === null) solc.setValue(error, text("File not found."), "*");
  else solc.setValue(contents, text(found), "*");
}

const callback = solc.addFunction(read, "viiiii");
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const answer = solc.UTF8ToString(solc._solidity_compile(text(line), callback, 0));
  solc._solidity_reset();
  process.stdout.write(answer + "\n");
});

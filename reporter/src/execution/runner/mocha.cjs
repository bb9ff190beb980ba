// A reporter for Mocha: prints what its default reporter prints, and writes Common Test Report Format beside itself.
// Tests run in the same process, and may change or break whatever they can reach. That is no failure of theirs because
// of us: then there is no report.
'use strict';
const { realpathSync, writeFileSync } = require('fs');
const path = require('path');

const HOME = process.cwd();
const REPORT = path.join(__dirname, 'report');

// Mocha is the program that runs, wherever it is.
const program = realpathSync(process.argv[1]);
const { reporters } = require('module').createRequire(program)('mocha');

function resultOf(test, status, error) {
  const file = test.file && path.relative(HOME, test.file).split(path.sep).join('/');
  return {
    name: test.title,
    suite: [file, ...test.titlePath().slice(0, -1)].filter(Boolean),
    status,
    duration: test.duration || 0,
    message: error && error.message,
    trace: error && error.stack,
    filePath: file,
  };
}

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    // None once one is missing: half of a report looks like a whole one.
    let tests = [];
    const add = (status) => (test, error) => {
      try {
        tests.push(resultOf(test, status, error));
      } catch {
        tests = undefined;
      }
    };
    // Hooks that fail come as tests.
    runner.on('pass', add('passed')).on('fail', add('failed')).on('pending', add('skipped'));
    runner.on('end', () => {
      if (!tests) return;
      try {
        const report = { reportFormat: 'CTRF', specVersion: '0.0.0', results: { tool: { name: 'mocha' }, tests } };
        writeFileSync(REPORT, JSON.stringify(report));
      } catch {}
    });
  }
};

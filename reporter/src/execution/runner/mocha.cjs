// A reporter for Mocha: prints what its default reporter prints, and writes Common Test Report Format beside itself.
'use strict';
const fs = require('fs');
const path = require('path');

// Mocha is the program that runs, wherever it is.
const program = fs.realpathSync(process.argv[1]);
const { reporters } = require('module').createRequire(program)('mocha');

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const tests = [];
    const add = (status) => (test, error) => {
      const file = test.file && path.relative(process.cwd(), test.file).split(path.sep).join('/');
      tests.push({
        name: test.title,
        suite: [file, ...test.titlePath().slice(0, -1)].filter(Boolean),
        status,
        duration: test.duration || 0,
        message: error && error.message,
        trace: error && error.stack,
        filePath: file,
      });
    };
    // Hooks that fail come as tests.
    runner.on('pass', add('passed')).on('fail', add('failed')).on('pending', add('skipped'));
    runner.on('end', () => {
      const report = { reportFormat: 'CTRF', specVersion: '0.0.0', results: { tool: { name: 'mocha' }, tests } };
      fs.writeFileSync(path.join(__dirname, 'report'), JSON.stringify(report));
    });
  }
};

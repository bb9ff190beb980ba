// A reporter for Jest: writes Common Test Report Format beside itself, and prints nothing. Whatever goes wrong here is no
// failure of the tests: then there is no report.
'use strict';
const { writeFileSync } = require('fs');
const path = require('path');

const HOME = process.cwd();
const REPORT = path.join(__dirname, 'report');
const STATUS = { passed: 'passed', failed: 'failed', todo: 'pending' };

function testsOf(file) {
  const name = path.relative(HOME, file.testFilePath).split(path.sep).join('/');
  const tests = file.testResults.map((test) => ({
    name: test.title,
    suite: [name, ...test.ancestorTitles],
    status: STATUS[test.status] || 'skipped',
    duration: test.duration || 0,
    trace: test.failureMessages.join('\n') || undefined,
    filePath: name,
    retries: Math.max((test.invocations || 1) - 1, 0),
  }));
  if (file.testExecError) {
    const message = file.testExecError.message;
    const trace = file.failureMessage || undefined;
    tests.push({ name, status: 'failed', duration: 0, message, trace, filePath: name });
  }
  return tests;
}

module.exports = class {
  onRunComplete(_contexts, results) {
    try {
      const tests = results.testResults.flatMap(testsOf);
      const report = { reportFormat: 'CTRF', specVersion: '0.0.0', results: { tool: { name: 'jest' }, tests } };
      writeFileSync(REPORT, JSON.stringify(report));
    } catch {}
  }
};

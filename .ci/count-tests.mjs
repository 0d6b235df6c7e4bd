// Prints `<passed> <failed>` from the JSON report of a test run and the exit code of its process.

import { readFileSync } from 'node:fs';

const [reportPath = '', exitCode = '1'] = process.argv.slice(2);

function count() {
  const report = JSON.parse(readFileSync(reportPath, 'utf8'));
  // A file that does not even load has no tests that could fail.
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken };
}

function read() {
  try {
    return count();
  } catch {
    return { passed: 0, failed: 0 };
  }
}

const { passed, failed } = read();
// No tests is no success; and an error outside of every test (or a crash) shows in the exit code only.
const unseen = failed === 0 && (passed === 0 || exitCode !== '0') ? 1 : 0;
process.stdout.write(`${passed} ${failed + unseen}\n`);

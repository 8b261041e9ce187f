/**
 * The program that `tryEngine` starts: one trial of the engine, its result sent to the parent.
 */
import { type EngineTrial, reportEngine } from './engine-report.js';

function attempt(): EngineTrial {
  try {
    return { isWorking: true, report: reportEngine() };
  } catch (error) {
    return { isWorking: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

process.send?.(attempt());

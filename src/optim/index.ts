/**
 * Here: optimizers, schedules, clipping.
 * May use: tensor and below.
 * Used by: recommenders, training.
 */
export { Adam, type AdamOptions, type ParameterGroup } from './adam.js';
export { clipGradients } from './clip.js';
export { type ScheduleOptions, warmupCosine } from './schedule.js';

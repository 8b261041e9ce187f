/** Variables to be set where the user has not set them. */
export function engineAdditions(): Record<string, string>;

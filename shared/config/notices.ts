// What the events of threshold notices are called: rules of whoever listens match on these words.

export const noticeSource = 'headcount';
export const noticeDetailType = 'Session threshold';

/** In the place of a bus where nobody asked for notices. */
export const noNoticeBus = 'none';

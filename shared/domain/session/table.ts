// The life cycle of a session, as data: message × state of the record → action. ARCHITECTURE.md shows these tables.
// app/presence (read-report, read-event, read-answer) finds a message's row and says what each action writes. Pure.
//
// Rows with `overlapped` are for sessions whose attempts have overlapped (`ambiguity`): the broker's answer is needed before
// they are freed. `–` changes nothing, `·` cannot be, `ask` asks the broker, and `answers` reads its answer.

import { pendingOf, type Session } from './record.ts';

export const states = ['new', 'connected', 'connected, pending', 'retained', 'retained, pending', 'ended'] as const;

export type State = (typeof states)[number];

export function stateOf(session: Session): State {
  const { kind } = session.phase;
  if (kind === 'new' || kind === 'ended') return kind;
  // A lease that only has the broker asked again is no attempt: the connection told of may be the one that is over.
  if (kind === 'retained') return pendingOf(session)?.expirySeconds === undefined ? kind : `${kind}, pending`;
  return pendingOf(session) === undefined ? kind : `${kind}, pending`;
}

/** The front door's reports. `its connection`: the report is of the attempt that was reported as connected. */
export const reports = {
  'connected, latest': ['confirm', 'confirm', 'confirm', 'ask', 'confirm', 'ask'],
  'connected, latest, perhaps over': ['verify', 'confirm', 'verify', 'ask', 'verify', 'ask'],
  'connected, older': ['overlap', 'overlap', 'overlap', 'ask', 'overlap', 'ask'],
  'connected, older, perhaps on its way': ['arrive', 'arrive', 'arrive', '·', 'arrive', '·'],
  'connected, older, let in uncounted': ['doubt', 'doubt', 'doubt', 'doubt', 'doubt', 'doubt'],
  'connected, known': ['–', '–', '–', '·', '–', '·'],
  'connected, known to be over': ['note', '–', 'note', '–', 'note', '–'],
  'failed, latest': ['drop', '–', 'drop', '–', 'drop', '–'],
  'failed, latest, overlapped': ['suspect', '–', 'suspect', '–', 'suspect', '–'],
  'failed, older': ['–', '–', '–', '–', '–', '–'],
  'failed, known to be over': ['–', '–', '–', '–', '–', '–'],
  'never sent, latest': ['drop', '–', 'drop', '–', 'drop', '–'],
  'never sent, latest, overlapped': ['end last', '–', 'end last', '–', 'end last', '–'],
  'never sent, older': ['arrive', 'arrive', 'arrive', 'arrive', 'arrive', '–'],
  'never sent, known to be over': ['land', '–', 'land', '–', 'land', '–'],
  'disconnected, its connection': ['end unseen', 'end', 'end unseen', '·', 'end unseen', '·'],
  'disconnected, its connection, overlapped': [
    'note last end',
    'ask, over',
    'note last end',
    '·',
    'note last end',
    '·',
  ],
  'disconnected, latest': ['end unseen', '–', 'end unseen', '–', 'end unseen', '–'],
  'disconnected, latest, overlapped': ['end last', 'ask, over', 'end last', '–', 'end last', '–'],
  'disconnected, its connection, older': ['·', 'end', 'note end', '·', '·', '·'],
  'disconnected, its connection, older, overlapped': ['note end', '·', 'note end', '·', 'note end', '·'],
  'disconnected, older': ['–', '–', '–', '–', '–', '–'],
  'disconnected, older, overlapped': ['arrive', 'ask', 'arrive', '–', 'arrive', '–'],
  'disconnected, known to be over': ['·', '–', '–', '–', '–', '–'],
  'disconnected, known to be over, overlapped': ['land', 'ask', 'land', '–', 'land', '–'],
} as const satisfies Table;

/** The broker's events, which name neither username nor attempt. `front door`: the latest attempt is the front door's. */
export const events = {
  'of a pair that is over': ['–', '–', '–', '–', '–', '–'],
  'connected, older than an hour': ['ask', 'ask', 'ask', 'ask', 'ask', 'ask'],
  'another, older than an hour': ['ask', 'ask', 'ask', 'ask', 'ask', '–'],
  'connected, known': ['·', '–', '–', '·', '·', '·'],
  'connected, a pair that is over': ['hasten', '·', 'hasten', '–', 'hasten', '·'],
  connected: ['confirm', 'learn pair', 'confirm', 'ask', 'confirm', 'ask'],
  'connected, perhaps another': ['ask', 'learn pair', 'ask', 'ask', 'ask', 'ask'],
  'connected, front door': ['–', '–', '–', 'ask if later', '–', 'ask of then'],
  'connected, front door, overlapped': ['rewrite', 'rewrite', 'rewrite', 'rewrite', 'rewrite', 'ask of then'],
  'disconnected, its connection': ['·', 'end', 'note end', '·', '·', '·'],
  'disconnected, its connection, overlapped': ['·', 'ask, count', 'note end', '·', '·', '·'],
  'disconnected, thrown out by another': ['·', 'ask, close', 'note end', '·', '·', '·'],
  'disconnected, another': ['·', 'close', 'close', '·', '·', '·'],
  'disconnected, perhaps its connection': ['close', 'ask, count', 'close', 'close', 'close', 'close'],
  'disconnected, front door': ['hear end', 'wait', 'hear end', '–', 'close', '–'],
  'disconnected, front door is silent': ['hear end', 'ask', 'hear end', '–', 'close', '–'],
  connect_failed: ['hasten', '–', 'hasten', '–', 'hasten', '–'],
  'connect_failed, front door': ['–', '–', '–', '–', '–', '–'],
} as const satisfies Table;

/** The broker's answers. `strange`: a connection or session that no known admission can have made. */
export const answers = {
  connected: ['confirm', 'confirm', 'confirm', 'confirm', 'confirm', 'count again'],
  retained: ['retain', 'retain', 'retain', 'retain', 'retain', 'count again'],
  absent: ['free', 'free', 'free', 'free', 'free', '–'],
  strange: ['wait', 'count', 'count', 'count', 'count', 'wait'],
  unknown: ['wait', 'wait', 'wait', 'wait', 'wait', 'wait'],
} as const satisfies Table;

type Row = readonly [string, string, string, string, string, string];
type Table = Readonly<Record<string, Row>>;

/** The names of what a table's cells do. */
export type ActionOf<T extends Table> = T[keyof T][number];

/** The cell of a row for the session's state. */
export function cellOf<T extends Table, R extends keyof T>(table: T, row: R, session: Session): T[R][number] {
  return (table[row] as Row)[states.indexOf(stateOf(session))] as T[R][number];
}

/** What each action does, in the words of ARCHITECTURE.md. */
export const meanings: Readonly<
  Record<ActionOf<typeof reports> | ActionOf<typeof events> | ActionOf<typeof answers>, string>
> = {
  '–': 'nothing changes; what a crash left undone is done',
  '·': 'cannot be',
  wait: 'not known yet: the message comes again, or the sweeper asks',
  ask: 'ask the broker',
  'ask, over': 'the latest attempt is over; ask what is left',
  'ask, close': 'the pair is over; ask what came in its place',
  'ask, count': 'the pair is over; count for as long as its session may be kept, and ask',
  'ask if later': 'ask if the connection may have been made after the session was retained',
  'ask of then': 'ask whether the connection is there that was made then',
  confirm: 'it is the connection: `connected`',
  verify: 'ask whether the connection is there that was made then; its end may have been told',
  overlap: 'from now on attempts overlap, if the connection known was not made later',
  doubt: 'which attempt came last is not known: ask',
  arrive: 'the attempt is not on its way any more; ask if it was the last one, and the latest is over',
  note: 'the attempt is not on its way any more',
  land: 'the attempt is not on its way any more; ask if it was the last one',
  drop: 'the attempt came to nothing: what was there before is there again',
  suspect: 'the attempt is over, if it is not on its way; the sweeper asks soon',
  'end last': 'the attempt is over; ask as soon as none is on its way',
  end: 'the connection is over: `retained`, or `ended`; ask where no packet told what is kept (S10)',
  'end unseen': 'the same, where its beginning was not told',
  'note end': 'note how the connection ended, for when the attempt pending comes to nothing',
  'note last end': 'the same, and ask if no attempt is on its way',
  'hear end': 'the pair is over, and perhaps it was the attempt’s',
  'learn pair': 'it is the pair of the connection known; if that has one, ask',
  close: 'the pair is over',
  hasten: 'the sweeper asks as soon as the attempt cannot be on its way',
  rewrite: 'write the record as it is, so that a question asked before is asked again',
  retain: 'the connection is over, the session is kept: `retained`',
  free: 'nothing is left: `ended`',
  count: 'count for as long as it may live, and ask again',
  'count again': 'it counts again, in a new place, over the limit if need be',
};

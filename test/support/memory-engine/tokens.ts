// DynamoDB's expressions, cut into words. What is not a word of theirs is refused, so that nothing is judged wrongly in
// silence.

import { invalid } from './rules/invalid.ts';

export type Values = Readonly<Record<string, unknown>>;

/** What an expression is read with. */
export interface Arguments {
  readonly names?: Readonly<Record<string, string>> | undefined;
  readonly values?: Values | undefined;
}

const word = /\s*(<>|<=|>=|[=<>(),.+-]|[#:]?[A-Za-z_]\w*)/y;

export class Tokens {
  private readonly expression: string;
  private readonly words: readonly string[];
  private at = 0;

  constructor(expression: string) {
    this.expression = expression;
    const words: string[] = [];
    word.lastIndex = 0;
    for (let from = 0; expression.slice(from).trim() !== ''; from = word.lastIndex) {
      word.lastIndex = from;
      const [, found] = word.exec(expression) ?? [];
      if (found === undefined) invalid(`cannot read the expression ${expression} from ${expression.slice(from)}`);
      words.push(found);
    }
    this.words = words;
  }

  peek(): string | undefined {
    return this.words[this.at];
  }

  next(): string {
    const found = this.words[this.at++];
    return found ?? this.refuse();
  }

  /** Takes the next word if it is this one; DynamoDB's own words may be written in either case. */
  take(wanted: string): boolean {
    if (this.peek()?.toUpperCase() !== wanted) return false;
    this.at++;
    return true;
  }

  expect(wanted: string): void {
    if (!this.take(wanted)) this.refuse();
  }

  end(): void {
    if (this.at < this.words.length) this.refuse();
  }

  refuse(): never {
    invalid(`cannot read the expression ${this.expression} at word ${this.at}: ${this.words[this.at] ?? 'its end'}`);
  }
}

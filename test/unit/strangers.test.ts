// Source addresses whose sockets bring no login wait while the process is busy, and no others.

import { beforeEach, expect, test } from 'vitest';
import { Strangers } from '../../frontdoor/strangers.ts';

const bounds = { free: 10, perSecond: 5, forgetMs: 60_000 };
let nowMs: number;
let isBusy: boolean;
let strangers: Strangers;
beforeEach(() => {
  nowMs = 1_000;
  isBusy = true;
  strangers = new Strangers(
    () => isBusy,
    bounds,
    () => nowMs,
  );
});

const flood = (address: string, sockets: number): void => {
  for (let n = 0; n < sockets; n++) strangers.noteStranger(address);
};
const passing = (address: string, sockets: number): number =>
  Array.from({ length: sockets }, () => strangers.refuses(address)).filter((refused) => !refused).length;

test('beyond what is free, an address gets a few sockets a second', () => {
  flood('192.0.2.1', 9);
  expect(passing('192.0.2.1', 100)).toBe(100);
  flood('192.0.2.1', 1);
  expect(passing('192.0.2.1', 100)).toBe(5);
  nowMs += 1_000;
  expect(passing('192.0.2.1', 100)).toBe(5);
});

test('no other address is held to it, nor is one that is unknown', () => {
  flood('192.0.2.1', 1_000);
  flood('', 1_000);
  expect(passing('192.0.2.2', 100)).toBe(100);
  expect(passing('', 100)).toBe(100);
});

test('a process with time to spare closes nothing', () => {
  flood('192.0.2.1', 1_000);
  isBusy = false;
  expect(passing('192.0.2.1', 100)).toBe(100);
});

test('a login restores the address at once: a fleet sits behind it', () => {
  flood('192.0.2.1', 1_000);
  expect(passing('192.0.2.1', 100)).toBe(5);
  strangers.noteLogin('192.0.2.1');
  expect(passing('192.0.2.1', 100)).toBe(100);
});

test('it is forgotten a minute after its last', () => {
  flood('192.0.2.1', 1_000);
  expect(passing('192.0.2.1', 100)).toBe(5);
  nowMs += 60_001;
  expect(passing('192.0.2.1', 100)).toBe(100);
  flood('192.0.2.1', 1);
  expect(passing('192.0.2.1', 100)).toBe(100);
});

test('the addresses that are remembered are bounded', () => {
  for (let n = 0; n < 20_000; n++) flood(`10.0.${n >> 8}.${n & 255}`, 10);
  expect(passing('10.0.0.1', 10)).toBe(10);
  expect(passing(`10.0.${19_999 >> 8}.${19_999 & 255}`, 10)).toBe(5);
});

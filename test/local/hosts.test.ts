// Where the local run listens, what it is called there, and which names HTTP answers to.

import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../local/config.ts';
import { createHostCheck, inUrl, reachableHost } from '../../local/hosts.ts';

describe('BIND_HOST', () => {
  const bindHost = (BIND_HOST: string, API_TOKEN?: string): string =>
    parseConfig({ BIND_HOST, ...(API_TOKEN === undefined ? {} : { API_TOKEN }) }).bindHost;

  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['LOCALHOST', 'localhost'],
    ['localhost.', 'localhost'],
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
  ])('%s is this machine alone, and needs no token', (given, meant) => {
    expect(bindHost(given)).toBe(meant);
  });

  test.each(['0.0.0.0', '::', '192.168.1.5', 'fe80::1', 'box.lan', '128.0.0.1'])(
    '%s is reached by other machines, and needs API_TOKEN',
    (given) => {
      expect(() => bindHost(given)).toThrow('set API_TOKEN');
      expect(() => bindHost(given, ' ')).toThrow('set API_TOKEN');
      expect(bindHost(given, 'own')).toBe(given);
    },
  );

  test.each(['a b', 'http://box', 'user@box', ':'])('%s is no host', (given) => {
    expect(() => bindHost(given, 'own')).toThrow('BIND_HOST');
  });
});

describe('HTTP answers', () => {
  test.each(['localhost', 'localhost:3000', 'LOCALHOST', 'localhost.', 'localhost.:3000', '127.0.0.1', '[::1]:3000'])(
    'to %s',
    (host) => expect(createHostCheck('127.0.0.1', []).answersTo(host, '127.0.0.1')).toBe(true),
  );

  test.each([
    null,
    '',
    'rebound.example',
    'localhost.rebound.example',
    '192.168.1.5',
    'localhost@x',
    'x@localhost',
    '::',
  ])('not to %s', (host) => expect(createHostCheck('127.0.0.1', []).answersTo(host, '127.0.0.1')).toBe(false));

  test('to each address of a machine that listens on all of them, and to no name that was not given', () => {
    const check = createHostCheck('0.0.0.0', []);
    expect(check.answersTo('192.168.1.5:3000', '192.168.1.5')).toBe(true);
    expect(check.answersTo('192.168.1.5:3000', '::ffff:192.168.1.5')).toBe(true);
    expect(check.answersTo('[fd00::5]:3000', 'fd00::5')).toBe(true);
    expect(check.answersTo('192.168.1.6:3000', '192.168.1.5')).toBe(false);
    expect(check.answersTo('box.lan', '192.168.1.5')).toBe(false);
  });

  test('to the names of ALLOWED_HOSTS and to BIND_HOST, however they are written', () => {
    const { bindHost, allowedHosts } = parseConfig({
      BIND_HOST: 'Box.Lan',
      API_TOKEN: 'own',
      ALLOWED_HOSTS: ' Headcount.example , ,other.example.:3000',
    });
    expect(allowedHosts).toEqual(['headcount.example', 'other.example']);
    const check = createHostCheck(bindHost, allowedHosts);
    for (const host of ['box.lan', 'BOX.LAN:3000', 'headcount.example', 'other.example:80', 'localhost'])
      expect(check.answersTo(host, '192.168.1.5'), host).toBe(true);
    expect(check.answersTo('third.example', '192.168.1.5')).toBe(false);
    expect(() => parseConfig({ ALLOWED_HOSTS: 'a b' })).toThrow('ALLOWED_HOSTS');
  });
});

test('what listens everywhere is reached by loopback, and an IPv6 address has brackets in a URL', () => {
  expect(['0.0.0.0', '::', '::1', 'box.lan'].map(reachableHost)).toEqual(['127.0.0.1', '::1', '::1', 'box.lan']);
  expect(['127.0.0.1', '::1'].map(inUrl)).toEqual(['127.0.0.1', '[::1]']);
});

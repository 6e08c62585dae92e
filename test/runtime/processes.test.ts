import { runChild } from '../support/child';

const inFlight = `
  const catalog = await makeCatalog();
  const feed = await Feed.create({ catalog, ...stages(), profile });
  for (let i = 0; i < 64; i++) {
    retrieve(catalog).catch(() => undefined);
    feed.rank(query(i)).catch(() => undefined);
    catalog.upsert([{ id: i, publishTime: now }]).catch(() => undefined);
    feed.record([{ type: 'click', userId: i, itemId: i, at: now }], { now }).catch(() => undefined);
  }
`;

test('process.exit with work in flight ends the process at once and with its code', async () => {
  const { code, signal, out, err } = await runChild(`(async () => {
    ${inFlight}
    console.log('leaving');
    process.exit(7);
  })();`);
  expect({ code, signal, out, err }).toEqual({ code: 7, signal: null, out: 'leaving', err: '' });
});

test('process.exit in the middle of the answers is as clean', async () => {
  const { code, signal, err } = await runChild(`(async () => {
    ${inFlight}
    await feed.rank(query());
    setImmediate(() => process.exit(3));
    for (;;) await feed.rank(query());
  })();`);
  expect({ code, signal, err }).toEqual({ code: 3, signal: null, err: '' });
});

test('an uncaught throw with work in flight ends the process as any uncaught throw does', async () => {
  const { code, signal, err } = await runChild(`(async () => {
    ${inFlight}
    setImmediate(() => { throw new Error('a mistake of the service'); });
  })();`);
  expect({ code, signal }).toEqual({ code: 1, signal: null });
  expect(err).toContain('Error: a mistake of the service');
});

test('an idle process with catalogs, feeds and models ends by itself', async () => {
  const { code, signal, out, err } = await runChild(`(async () => {
    const catalog = await makeCatalog(10);
    const feed = await Feed.create({ catalog, ...stages(), profile });
    await feed.rank(query());
    globalThis.kept = [catalog, feed];
    process.on('exit', () => console.log('ended'));
  })();`);
  expect({ code, signal, out, err }).toEqual({ code: 0, signal: null, out: 'ended', err: '' });
});

test('a pending request keeps the process alive until it is answered', async () => {
  const { code, out, err } = await runChild(`(async () => {
    const catalog = await makeCatalog();
    const feed = await Feed.create({ catalog, ...stages(), profile });
    const pending = [retrieve(catalog, 64), feed.rank(query()), catalog.remove([1])];
    Promise.all(pending).then(([found, slate, removed]) =>
      console.log(found.length, slate.items.length, removed.removed));
  })();`);
  expect({ code, out, err }).toEqual({ code: 0, out: '64 50 1', err: '' });
});

test('a request that waits for a stage is not lost when nothing else holds the process', async () => {
  const { code, out, err } = await runChild(`(async () => {
    const catalog = await makeCatalog(10);
    const slow = { name: 'slow', filter: async (batch) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return batch.ids.map(() => true);
    } };
    const feed = await Feed.create({ catalog, ...stages(), filters: [slow], profile });
    feed.rank(query()).then((slate) => console.log(slate.items.length));
  })();`);
  expect({ code, out, err }).toEqual({ code: 0, out: '10', err: '' });
});

test('the event loop goes on during a long native call', async () => {
  const { code, out, err } = await runChild(`(async () => {
    configure({ threads: 1 });
    const catalog = await makeCatalog(20000);
    let fired = 0;
    let done = false;
    const timer = setInterval(() => fired++, 1);
    const calls = Array.from({ length: 10 }, () => retrieve(catalog, 128));
    Promise.all(calls).then(() => { done = true; });
    while (!done) await new Promise(setImmediate);
    clearInterval(timer);
    console.log(fired > 0);
  })();`);
  expect({ code, out, err }).toEqual({ code: 0, out: 'true', err: '' });
});

test('a full queue refuses at once with OVERLOADED, changes nothing, and recovers', async () => {
  const { code, out, err } = await runChild(`(async () => {
    configure({ threads: 1, queueLimit: 4 });
    const catalog = await makeCatalog(6000);
    const feed = await Feed.create({ catalog, ...stages(), profile });
    await feed.rank(query());
    const outcomes = await Promise.allSettled(Array.from({ length: 60 }, (_, i) =>
      i % 2 ? retrieve(catalog, 64) : feed.rank(query(i))));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason);
    const writes = await Promise.allSettled(Array.from({ length: 60 }, (_, i) =>
      catalog.upsert([{ id: 100000 + i, publishTime: now }])));
    const written = writes.filter((outcome) => outcome.status === 'fulfilled').length;
    const turnedAway = writes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason);
    const errors = [...refused, ...turnedAway];
    console.log(JSON.stringify({
      some: refused.length > 0 && refused.length < 60,
      typed: errors.every((error) => error instanceof feedrank.FeedrankError),
      codes: [...new Set(errors.map((error) => error.code + ' ' + error.argument))],
      told: errors.every((error) => error.message.includes('4')),
      size: catalog.size === 6000 + written,
      after: (await feed.rank(query())).items.length,
      status: feedrank.runtimeStatus().queued,
    }));
  })();`);
  expect(err).toBe('');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({
    some: true,
    typed: true,
    codes: ['OVERLOADED queueLimit'],
    told: true,
    size: true,
    after: 50,
    status: 0,
  });
});

test('configure checks what it is given, and holds for the process once something runs', async () => {
  const { code, out, err } = await runChild(`(async () => {
    const codes = [];
    const attempt = (options) => {
      try { configure(options); codes.push('taken'); }
      catch (error) { codes.push(error.code + ' ' + error.argument); }
    };
    for (const wrong of [undefined, null, 5, 'x', [], { threads: 0 }, { threads: -1 }, { threads: NaN },
      { threads: 1.5 }, { threads: 2 ** 31 }, { threads: '2' }, { queueLimit: 0 }, { queueLimit: Infinity }]) attempt(wrong);
    attempt({ threads: 2, queueLimit: 9 });
    const { threads, queueLimit, queued, version, libtorchVersion } = feedrank.runtimeStatus();
    codes.push([threads, queueLimit, queued, /^\\d+\\./.test(version), /^2\\./.test(libtorchVersion)].join());
    const catalog = await makeCatalog(3);
    attempt({ threads: 3 });
    attempt({ threads: 2, queueLimit: 9 });
    attempt({});
    console.log(codes.join('|'), catalog.size);
  })();`);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out.split('|')).toEqual([
    ...Array.from({ length: 5 }, () => 'INVALID_ARGUMENT options'),
    ...Array.from({ length: 6 }, () => 'INVALID_ARGUMENT threads'),
    ...Array.from({ length: 2 }, () => 'INVALID_ARGUMENT queueLimit'),
    'taken',
    '2,9,0,true,true',
    'INVALID_ARGUMENT threads',
    'taken',
    'taken 3',
  ]);
});

test('dropped requests and catalogs give their memory back', async () => {
  const { code, out, err } = await runChild(
    `(async () => {
    const rounds = async (count) => {
      for (let i = 0; i < count; i++) {
        const catalog = await makeCatalog(500);
        const feed = await Feed.create({ catalog, ...stages(), profile });
        await feed.rank(query());
        catalog.dispose();
        feed.dispose();
        if (i % 10 === 9) { gc(); await new Promise(setImmediate); gc(); await new Promise(setImmediate); }
      }
      return process.memoryUsage().rss / 2 ** 20;
    };
    const before = await rounds(30);
    const after = await rounds(60);
    console.log(after - before < 60 ? 'bounded' : 'grew by ' + (after - before) + ' MiB');
  })();`
      .replace(
        '(async',
        'const gc = globalThis.gc ?? (() => {});\nrequire("node:v8").setFlagsFromString("--expose-gc");\nglobalThis.gc2 = require("node:vm").runInNewContext("gc");\n(async',
      )
      .replace('const gc = globalThis.gc ?? (() => {});', 'const gc = () => globalThis.gc2();'),
  );
  expect({ code, out, err }).toEqual({ code: 0, out: 'bounded', err: '' });
});
